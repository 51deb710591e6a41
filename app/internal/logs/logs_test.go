package logs_test

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/app/internal/logs"
)

func TestLinesComeOutWholeAndInOrder(t *testing.T) {
	reader, writer := io.Pipe()
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(reader)
		read <- string(all)
	}()
	q := logs.NewQueue(writer)
	var want strings.Builder
	for i := range 10_000 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		q.Write([]byte(line))
	}
	q.Close(5 * time.Second)
	writer.Close()
	assert.Equal(t, want.String(), <-read)
}

func TestAReaderThatStopsCostsLinesAndIsToldHowMany(t *testing.T) {
	reader, writer := io.Pipe()
	q := logs.NewQueue(writer)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const lines = 5000 // five times what is kept
	begin := time.Now()
	for range lines {
		n, err := q.Write(line)
		require.NoError(t, err)
		require.Equal(t, len(line), n)
	}
	assert.Less(t, time.Since(begin), time.Second, "nobody waits")

	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(reader)
		read <- string(all)
	}()
	q.Close(5 * time.Second)
	writer.Close()
	got := <-read
	kept := strings.Count(got, "x\n")
	assert.GreaterOrEqual(t, kept, 1024)
	assert.LessOrEqual(t, kept, 2048, "what is being written, and as much behind it")
	told := 0
	for _, match := range regexp.MustCompile(`"lines":(\d+)}`).FindAllStringSubmatch(got, -1) {
		n, err := strconv.Atoi(match[1])
		require.NoError(t, err)
		told += n
	}
	assert.Equal(t, lines-kept, told)
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	_, writer := io.Pipe() // nobody reads
	q := logs.NewQueue(writer)
	q.Write([]byte("lost\n"))
	begin := time.Now()
	q.Close(50 * time.Millisecond)
	assert.Less(t, time.Since(begin), time.Second)
}
