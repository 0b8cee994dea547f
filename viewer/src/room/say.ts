/** Gives an element a place for short news that screen readers read out. */
export function say(into: HTMLElement): (sentence: string) => void {
  let note = into.querySelector<HTMLElement>('[role=status]');
  if (!note) {
    note = document.createElement('p');
    note.setAttribute('role', 'status');
    into.append(note);
  }
  return (sentence) => {
    note.textContent = sentence;
  };
}
