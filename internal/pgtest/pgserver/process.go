package pgserver

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended and been waited for
}

// startProcess starts cmd on a thread that lives as long as the process does:
// the death signal that ties the server to this program fires when the thread
// that started it goes, not when the program does.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			// How it ended stands in the server's log; here only that it did matters.
			_ = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks more and more firmly: a fast shutdown, an immediate one, a kill.
func (p *process) stop() error {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if p.cmd.Process.Signal(sig) == nil && p.ended(10*time.Second) {
			return nil
		}
	}
	return p.kill()
}

// kill ends the postmaster and its children as a power cut would. The children
// have to be named one by one: each has a session of its own, and one left in
// the middle of a statement would go on and commit it.
func (p *process) kill() error {
	if !p.alive() {
		return nil
	}
	pid := p.cmd.Process.Pid
	victims := childrenOf(pid)
	if err := p.cmd.Process.Kill(); err != nil && p.alive() {
		return fmt.Errorf("kill the server %d: %w", pid, err)
	}
	for _, victim := range victims {
		if child, err := os.FindProcess(victim); err == nil {
			_ = child.Kill() // it may have ended by itself
		}
	}
	if !p.ended(10 * time.Second) {
		return fmt.Errorf("the server %d outlived a kill", pid)
	}
	return nil
}

func (p *process) ended(within time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(within):
		return false
	}
}
