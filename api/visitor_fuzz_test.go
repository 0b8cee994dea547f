package api

import (
	"bytes"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo/catalogue"
)

// FuzzStamp holds that no mark of a form is taken that was not given.
func FuzzStamp(f *testing.F) {
	v, other := newVisitors(), newVisitors()
	f.Add("")
	f.Add(other.stamp(now))
	f.Add(v.stamp(now)[1:])
	f.Add(strings.Repeat("A", 54))
	f.Fuzz(func(t *testing.T, stamp string) {
		at, ours := v.made(stamp)
		if ours && stamp != v.stamp(at) {
			t.Errorf("%q is taken, made %v", stamp, at)
		}
	})
}

// FuzzKeptPicture holds that no mark of a picture is taken that was not given.
func FuzzKeptPicture(f *testing.F) {
	v, other := newVisitors(), newVisitors()
	kept := catalogue.Reuse{Picture: bytes.Repeat([]byte{7}, 32), Width: 300, Height: 200}
	f.Add(other.pictureMark(&kept))
	f.Add(v.pictureMark(&kept)[2:])
	f.Add("..")
	f.Add("00.1.1.00")
	f.Fuzz(func(t *testing.T, mark string) {
		var r catalogue.Reuse
		if v.keptPicture(mark, &r) && v.pictureMark(&r) != mark {
			t.Errorf("%q is taken as %+v", mark, r)
		}
	})
}

// FuzzReuseForm reads what is no form: no more of it is kept than a form holds,
// and no more of a picture than one byte too many.
func FuzzReuseForm(f *testing.F) {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	_ = m.SetBoundary("b") // a buffer takes everything
	_ = m.WriteField("title", "Carte")
	w, _ := m.CreateFormFile("picture", "image.png")
	_, _ = w.Write([]byte("\x89PNG"))
	_ = m.Close()
	f.Add(body.Bytes())
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=title\r\n\r\nx\r\n--b"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"../../x\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--b--"))
	f.Add([]byte("--b\r\n\r\n--b--"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := os.Create(filepath.Join(dir, "picture"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		picture := sentPicture{f: file}
		form, err := readParts(multipart.NewReader(bytes.NewReader(body), "b"), &picture)
		size := 0
		for _, values := range form {
			for _, v := range values {
				size += len(v)
			}
		}
		if size > maxFormFields || picture.size > maxPicture+1 {
			t.Errorf("%d bytes of fields, %d of a picture, %v", size, picture.size, err)
		}
		if err != nil {
			return
		}
		reuse := catalogue.Reuse{Title: form.Get("title"), URL: form.Get("url"), Description: form.Get("description"), Contest: form.Get("contest"), Lang: "fr"}
		if wrong := catalogue.CheckReuse(&reuse); len(wrong) == 0 && (reuse.Title == "" || !strings.HasPrefix(reuse.URL, "http")) {
			t.Errorf("it is taken as %+v", reuse)
		}
	})
}

// FuzzOwnPath holds that what a form says it leads back to is a page of the hub.
func FuzzOwnPath(f *testing.F) {
	for _, s := range []string{"/bureau", "//evil.example", "/\\evil", "/a?b=c#d", "https://x", "/\x00", "/%2f%2fevil"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p := ownPath(s); p != "" && (p != s || p[0] != '/' || len(p) > 1 && (p[1] == '/' || p[1] == '\\') || strings.ContainsAny(p, "\r\n\x00")) {
			t.Errorf("%q leads to %q", s, p)
		}
	})
}
