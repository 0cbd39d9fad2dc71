package engine_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// child is this test binary, started again to run one test that is killed in the midst of
// its work.
type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
	// delay lets the child get further than its last line before it is killed.
	delay time.Duration
}

// startChild starts the test with further variables in its environment. It ends with the
// test that started it, and after a minute of its own at the latest.
func startChild(t *testing.T, test string, env ...string) *child {
	t.Helper()
	cmd, err := childCommand(t, test, env...)
	require.NoError(t, err)
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return &child{cmd: cmd, out: bufio.NewReader(pipe)}
}

func childCommand(t *testing.T, test string, env ...string) (*exec.Cmd, error) {
	return childCommandFor(t, time.Minute, test, env...)
}

func childCommandFor(t *testing.T, patience time.Duration, test string, env ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, "-test.run=^"+test+"$", "-test.timeout="+patience.String())
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	return cmd, err
}

// killAfter kills the child after some lines of its output, and returns all whole lines: more
// may come before it is dead. One that ends by itself fails the test.
func (c *child) killAfter(t *testing.T, lines int) (said []string) {
	t.Helper()
	for {
		line, err := c.out.ReadString('\n')
		if err != nil {
			break // the pipe ends with the process; a line without an end was not said
		}
		if said = append(said, line); len(said) == lines {
			time.Sleep(c.delay)
			require.NoError(t, c.cmd.Process.Kill())
		}
	}
	require.Error(t, c.cmd.Wait())
	require.Equal(t, -1, c.cmd.ProcessState.ExitCode(), "the child was killed and did not end by itself: %v", said)
	require.GreaterOrEqual(t, len(said), lines, "the child ran into its minute")
	return said
}
