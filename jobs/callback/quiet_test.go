package callback

import (
	"io"
	"log"
)

// quiet drops what net/http servers say about clients that break off, which the tests do on purpose.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
