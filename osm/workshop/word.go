package workshop

// Question puts a task into words as it is now.
func (t *Task) Question() Question { return t.question() }

// Told reports whether somebody has told something about the task, or a
// verdict has been given on it.
func (t *Task) Told() bool { return t.answered() }

// AsksOSM reports whether what was told asks for a change in OpenStreetMap,
// which is then awaited.
func (t *Task) AsksOSM() bool { return t.answered() && t.toOSM() }

// Says is what is known of the place: the verdict, else the first answer; ""
// while nobody has told anything.
func (t *Task) Says() string { return t.says() }
