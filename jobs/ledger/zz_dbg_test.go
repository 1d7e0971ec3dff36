package ledger
import ("testing";"fmt";"os";"context";"github.com/resetd/resetd/schemas")
func TestZZ(t *testing.T){
 p:=postgresPlace(t); if u:=os.Getenv("RESETD_BENCH_POSTGRES");u!=""{p.options.URL=u}
 l:=p.open(t)
 pg,_:=l.Search(t.Context(),schemas.TaskQuery{Limit:1})
 if len(pg.Tasks)==0 { wide(100000).seed(t,l,false) }
 tx,_:=l.read.BeginTx(context.Background(),nil)
 defer tx.Rollback()
 w:=walk{tx:tx,find:l.db.find,before:start(),from:-1<<62,want:51}
 if err:=w.plan(t.Context(),schemas.TaskQuery{Status:schemas.StatusSuccessful}); err!=nil{t.Fatal(err)}
 fmt.Println(len(w.keys))
 w.explain=true
 w.run(t.Context())
}
