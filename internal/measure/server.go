package measure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Server is a command that serves HTTP on this machine.
type Server struct {
	Base string

	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	bytes int64
	last  []byte // of what it wrote
}

// mostShown is how much of a server's output an error shows.
const mostShown = 1000

func (s *Server) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += int64(len(data))
	s.last = append(s.last, data...)
	s.last = s.last[max(0, len(s.last)-mostShown):]
	return len(data), nil
}

// Logged is how many bytes the server has written.
func (s *Server) Logged() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// said is the end of what the server wrote, for an error.
func (s *Server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.TrimSpace(string(s.last))
	if text == "" {
		return "it wrote nothing"
	}
	return "it wrote:\n" + text
}

// Explain adds what the server wrote to an error, when it has ended.
func (s *Server) Explain(err error) error {
	select {
	case <-s.done:
		return fmt.Errorf("%w; %s ended (%s); %s", err, s.cmd.Args[0], s.cmd.ProcessState, s.said())
	default:
		return err
	}
}

// PID is that of the command; what it started is below it.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Start runs a command with PORT and HOST in its environment, and waits until a
// path answers with less than 500. A port of 0 is a free one.
func Start(ctx context.Context, command []string, port int, healthPath string, patience time.Duration) (*Server, error) {
	if port == 0 {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		port = free.Addr().(*net.TCPAddr).Port
		free.Close()
	} else if taken, err := net.DialTimeout("tcp", address(port), time.Second); err == nil {
		taken.Close()
		return nil, fmt.Errorf("port: something listens on %d already; stop it, or give another port", port)
	}
	s := &Server{Base: "http://" + address(port), done: make(chan struct{})}
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(os.Environ(), "PORT="+strconv.Itoa(port), "HOST=127.0.0.1")
	s.cmd.Stdout, s.cmd.Stderr = s, s
	// A process that holds the output open must not hold up the end.
	s.cmd.WaitDelay = time.Second
	inGroup(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", command[0], err)
	}
	go func() {
		s.cmd.Wait()
		close(s.done)
	}()
	if err := s.ready(ctx, healthPath, patience); err != nil {
		s.stop(2 * time.Second)
		return nil, err
	}
	return s, nil
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (s *Server) ready(ctx context.Context, path string, patience time.Duration) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	last := errors.New("nothing answered")
	for end := time.Now().Add(patience); time.Now().Before(end); {
		select {
		case <-s.done:
			return fmt.Errorf("%s ended before it answered (%s); %s", s.cmd.Args[0], s.cmd.ProcessState, s.said())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
		status, _, err := send(ctx, client, s.Base, Request{Method: "GET", Path: path})
		switch {
		case err != nil:
			last = err
		case status < 500:
			return nil
		default:
			last = fmt.Errorf("it answers with %d", status)
		}
	}
	return fmt.Errorf("%s does not answer %s on %s within %s: %w; it has to listen on PORT, or say with --port where it does; %s",
		s.cmd.Args[0], path, s.Base, patience, last, s.said())
}

// Stop ends the command and all that it started: with SIGTERM, and with SIGKILL
// what has not ended 10 seconds later, or 2 when ctx has ended.
func (s *Server) Stop(ctx context.Context) {
	if ctx.Err() != nil {
		s.stop(2 * time.Second)
	} else {
		s.stop(10 * time.Second)
	}
}

func (s *Server) stop(patience time.Duration) {
	terminate(s.cmd)
	select {
	case <-s.done:
	case <-time.After(patience):
	}
	kill(s.cmd) // also what it started and left
	<-s.done
}
