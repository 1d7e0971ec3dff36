# Everything a developer or CI runs. `make test` installs the test servers when it can.
GO ?= go
export CGO_ENABLED ?= 0
BIN := bin/resetd

.PHONY: build demo test race bench crash lint fuzz servers clean

build:
	GO=$(GO) sh deploy/build.sh $(BIN)

demo:
	$(GO) run ./cmd/resetd demo

servers:
	sh deploy/test-servers.sh

test: servers
	$(GO) test -timeout 15m ./...

# The race detector needs a C compiler; the product does not.
race: servers
	CGO_ENABLED=1 $(GO) test -race -short -timeout 25m ./...

bench: servers
	$(GO) run ./deploy/bench

crash: servers
	$(GO) run ./deploy/crash

fuzz:
	sh deploy/fuzz.sh

lint:
	sh deploy/lint.sh

clean:
	rm -rf bin
