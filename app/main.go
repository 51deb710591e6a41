// Command app keeps short notes and tells where it runs. It is one program for
// every platform: with AWS_LAMBDA_RUNTIME_API it serves Lambda events, else HTTP
// on PORT (default 8080). Notes go to the S3 bucket NOTES_BUCKET or, without
// one, to the directory NOTES_DIR (default: one below the temporary directory).
// They stay for NOTES_TTL (default: until somebody deletes them).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/aws/aws-lambda-go/lambda"
	"golang.org/x/net/netutil"

	"refdeploy/app/contract"
	"refdeploy/app/internal/logs"
	"refdeploy/app/internal/notes"
	"refdeploy/app/internal/platform"
	"refdeploy/app/internal/web"
)

// flushTimeout is how long the last log lines may take after the last request.
const flushTimeout = time.Second

func main() { os.Exit(run()) }

func run() (exit int) {
	started := time.Now()
	onLambda := os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
	var out io.Writer = os.Stdout
	// No queue on Lambda, which stops the process after each answer: a line that
	// waits would come with the next request, or never.
	if !onLambda {
		signal.Ignore(syscall.SIGPIPE) // a log reader that ends does not end the app
		queue := logs.NewQueue(os.Stdout)
		defer queue.Close(flushTimeout)
		out = queue
	}
	log := slog.New(slog.NewJSONHandler(out, nil))
	limitMemory(log)

	ttl, err := noteTTL()
	if err != nil {
		log.Error("start", "error", err.Error())
		return 1
	}
	store, err := newStore(context.Background(), ttl)
	if err != nil {
		log.Error("start", "error", err.Error())
		return 1
	}
	app := &web.App{Store: store, TTL: ttl, Facts: detect(), Log: log, Started: started}
	if onLambda {
		lambda.StartHandler(newEvents(app.Handler(), app.Unreadable()))
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, app.Handler(), log); err != nil {
		log.Error("serve", "error", err.Error())
		return 1
	}
	return 0
}

// limitMemory lets Go collect garbage before the container's limit is reached,
// or on a machine without one the machine's: the kernel kills whoever passes
// it. A fifth is left for what Go does not count.
func limitMemory(log *slog.Logger) {
	_, err := memlimit.SetGoMemLimitWithOpts(
		memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)), memlimit.WithRatio(0.8))
	if err != nil {
		log.Warn("no memory limit", "error", err.Error())
	}
}

func newStore(ctx context.Context, ttl notes.TTL) (notes.Store, error) {
	if bucket := os.Getenv("NOTES_BUCKET"); bucket != "" {
		return notes.NewS3(ctx, bucket, ttl)
	}
	dir := &notes.Dir{Path: os.Getenv("NOTES_DIR"), TTL: ttl}
	if dir.Path == "" {
		dir.Path = filepath.Join(os.TempDir(), "refdeploy-notes")
	}
	go dir.Sweep(ctx)
	return dir, nil
}

// noteTTL reads NOTES_TTL, how long a note lives.
func noteTTL() (notes.TTL, error) {
	text := os.Getenv("NOTES_TTL")
	if text == "" {
		return 0, nil
	}
	ttl, err := time.ParseDuration(text)
	if err != nil || ttl <= 0 {
		return 0, fmt.Errorf("NOTES_TTL is %q; give a time above zero, such as 24h, or leave it out to keep notes for ever", text)
	}
	return notes.TTL(ttl), nil
}

// detect finds out where the app runs while it starts: the answer comes at once
// from the environment and, a moment later, from the platform's metadata.
func detect() func() platform.Facts {
	var facts atomic.Pointer[platform.Facts]
	update := func(ctx context.Context) (complete bool) {
		found := platform.Detect(ctx, os.Getenv)
		facts.Store(&found)
		return found.DataPlane != ""
	}
	atOnce, cancel := context.WithCancel(context.Background())
	cancel() // no time to ask anyone
	update(atOnce)
	go func() {
		// Metadata may fail at first, as on a host that starts many tasks.
		for pause := time.Second; !update(context.Background()) && pause < time.Minute; pause *= 2 {
			time.Sleep(pause)
		}
	}()
	return func() platform.Facts { return *facts.Load() }
}

// serve answers HTTP until ctx ends, and then finishes what is in flight.
func serve(ctx context.Context, handler http.Handler, log *slog.Logger) error {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), port))
	if err != nil {
		return err
	}
	var open connections
	server := &http.Server{
		Handler:           open.closeIdle(handler),
		ConnState:         open.count,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       contract.BodyTimeout,
		WriteTimeout:      15 * time.Second,
		// Longer than the 60 s for which a load balancer keeps a connection:
		// else it sends a request into one that the app has just closed.
		IdleTimeout:    75 * time.Second,
		MaxHeaderBytes: contract.MaxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	log.Info("listening", "address", listener.Addr().String(), "version", web.Version, "memoryLimit", debug.SetMemoryLimit(-1))

	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		log.Info("stopping")
		deadline, cancel := context.WithTimeout(context.Background(), contract.ShutdownTimeout)
		defer cancel()
		err := server.Shutdown(deadline)
		if errors.Is(err, context.DeadlineExceeded) {
			log.Warn("requests cut off", "after", contract.ShutdownTimeout.String())
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(netutil.LimitListener(listener, contract.MaxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
