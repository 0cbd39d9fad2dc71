package engine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store/sqlite"
)

const (
	envLinearDSN  = "CONVOSTORE_LINEAR_DSN"
	envLinearUser = "CONVOSTORE_LINEAR_USER"
)

// TestLinearChild is no test: it makes the calls that it reads from its standard input, all
// at once, and writes their answers, until it is killed or its input ends.
func TestLinearChild(t *testing.T) {
	if os.Getenv(envLinearDSN) == "" {
		t.Skip("started by the test of histories alone")
	}
	st, err := sqlite.Open(t.Context(), os.Getenv(envLinearDSN))
	require.NoError(t, err)
	defer func() { assert.NoError(t, st.Close()) }()
	mine := st.ForUser(uuid.MustParse(os.Getenv(envLinearUser)))
	var mu sync.Mutex
	var wg sync.WaitGroup
	defer wg.Wait()
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r linearRequest
		if err := in.Decode(&r); err != nil {
			return
		}
		wg.Go(func() {
			response := perform(t.Context(), mine, r)
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, out.Encode(response))
		})
	}
}

// linearChild is a process with a store of its own. The next call after its death starts it
// again. The times of a call are taken on this side of its pipes, so that the clocks of the
// processes do not matter.
type linearChild struct {
	t   *testing.T
	env []string

	mu      sync.Mutex
	process *linearProcess
	starts  int
}

type linearProcess struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	ended chan struct{}

	mu      sync.Mutex
	waiting map[int]chan linearResponse // nil once the process is dead
}

var errKilled = errors.New("the process was killed")

func (c *linearChild) perform(r linearRequest) linearResponse {
	unknown := linearResponse{Answer: linearAnswer{Unknown: true}, Ended: true}
	p, err := c.alive()
	if err != nil {
		unknown.Err, unknown.Ended = err.Error(), false
		return unknown
	}
	unknown.Err = errKilled.Error()
	answer := make(chan linearResponse, 1)
	if !p.send(r, answer) {
		return unknown
	}
	if response, ok := <-answer; ok {
		return response
	}
	return unknown
}

// alive returns the process, which it starts if there is none.
func (c *linearChild) alive() (*linearProcess, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil && !c.process.dead() {
		return c.process, nil
	}
	cmd, err := childCommand(c.t, "TestLinearChild", c.env...)
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.process = &linearProcess{cmd: cmd, in: in, waiting: map[int]chan linearResponse{}, ended: make(chan struct{})}
	c.starts++
	if err := cmd.Start(); err != nil {
		close(c.process.ended)
		return nil, err
	}
	go c.process.read(out)
	return c.process, nil
}

// kill has the child's process die in the midst of its calls.
func (c *linearChild) kill() error {
	p, err := c.alive()
	if err != nil {
		return err
	}
	return p.cmd.Process.Kill()
}

// end lets the process finish.
func (c *linearChild) end() {
	if c.process != nil {
		_ = c.process.in.Close()
		<-c.process.ended
	}
}

func (p *linearProcess) dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting == nil
}

// send returns false if the process is dead already.
func (p *linearProcess) send(r linearRequest, answer chan linearResponse) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		return false
	}
	p.waiting[r.ID] = answer
	// A dead process cannot read it. Then the end of its output closes the channel.
	_ = json.NewEncoder(p.in).Encode(r)
	return true
}

// read hands the answers out until the process is dead. Half a line was not said.
func (p *linearProcess) read(out io.Reader) {
	defer func() {
		_ = p.cmd.Wait() // killed, or at the end of its input
		close(p.ended)
	}()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r linearResponse
		if json.Unmarshal(line, &r) != nil {
			continue // what the test framework says at the end
		}
		p.mu.Lock()
		if answer := p.waiting[r.ID]; answer != nil {
			answer <- r
			delete(p.waiting, r.ID)
		}
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, answer := range p.waiting {
		close(answer)
	}
	p.waiting = nil
}
