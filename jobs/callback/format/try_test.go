package format
import ("testing";"github.com/resetd/resetd/schemas";"github.com/resetd/resetd/schemas/receiver")
func TestTry(t *testing.T){
 for _,n:=range names(){
  p,err:=load(n); if err!=nil{t.Error(n,err);continue}
  s:=receiver.Spec{Format:n,Params:map[string]string{}}
  s.Auth.Secret=schemas.NewSecret("https://x.example/")
  if p.Auth[0].Scheme=="basic"{s.Auth.User="u"}
  for k,v:=range p.Params{ if v.Required{ s.Params[k]=map[string]string{"channel":"C012345678","from":"a@b.de","key_id":"1"}[k]}}
  if _,f:=New(s);len(f)>0{t.Error(n,f)}
 }
}
