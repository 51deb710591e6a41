//go:build runtimes && linux

package runtimes_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A network is one that nothing else is in: only its own loopback. Apps can
// listen on the same port beside each other, on every address, and nobody
// outside reaches them.
type network struct{ calls chan func() }

func newNetwork(t testing.TB) *network {
	t.Helper()
	n := &network{make(chan func())}
	ready := make(chan error)
	go func() {
		// A thread that is in another network must not run anything else. It ends
		// with this goroutine.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		ready <- err
		for call := range n.calls {
			call()
		}
	}()
	require.NoError(t, <-ready, "a network namespace")
	t.Cleanup(func() { close(n.calls) })
	return n
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// do runs f in the network. Sockets and processes that f makes stay in it.
func (n *network) do(f func()) {
	done := make(chan struct{})
	n.calls <- func() { defer close(done); f() }
	<-done
}

func (n *network) listen(t testing.TB) (listener net.Listener) {
	t.Helper()
	var err error
	n.do(func() { listener, err = net.Listen("tcp", "127.0.0.1:0") })
	require.NoError(t, err)
	return listener
}

// dial connects to a port on the network's loopback, whatever the host's name.
func (n *network) dial(ctx context.Context, _, address string) (conn net.Conn, err error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n.do(func() {
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, "tcp4", fmt.Sprint("127.0.0.1:", port))
	})
	return conn, err
}
