package format
import ("testing";"context";"fmt";"path/filepath")
func TestQuick(t *testing.T){
 fs,_:=filepath.Glob("/work/shared/data/regional/*/*/*.shp")
 g,_:=filepath.Glob("/work/shared/data/regional/*/*/*/*.shp")
 d,_:=filepath.Glob("/work/shared/data/regional/cnig/*/*.dbf")
 fs=append(append(fs,g...),d...)
 for _,f:=range fs {
  s,err:=Open(context.Background(),f,Options{}); if err!=nil {fmt.Println(f,err);continue}
  l:=s.Layers()[0]
  n:=0; iss:=0
  err=s.Read(context.Background(),0,func(r *Record) error { n++; iss+=len(r.Issues); if r.Err!=nil {fmt.Println(r.Err)}; if n==1 {fmt.Println(r.Values)}; return nil})
  fmt.Println(filepath.Base(f),l.Name,l.CRS.SRID,l.Count,l.Encoding,l.Notes,n,iss,err)
 }
}
