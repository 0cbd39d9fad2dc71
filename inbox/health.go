package inbox

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/convostore/convostore/store"
)

// healthPage is the content of the page of health.
type healthPage struct {
	Database, Schema string
	Problem          string
	Tiles            []tile
	NoWorker         bool
	Waiting          string // empty if nothing is overdue
	OldestDue        stamp
	Replicas         []replicaView
	Pools            table
	// Sizes is filled when it is asked for, which takes long on a big file.
	Sizes      *table
	SizesError string
}

type replicaView struct {
	Address, Reason, Behind, Age string
	InUse                        bool
}

// health shows how the database and the outbox are doing: everybody's, whose rows the operator sees.
func (r *request) health() error {
	body := &healthPage{}
	h := r.in.store.Health()
	ready, err := h.Ready(r.Context())
	body.Database, body.Schema = oneLine(ready.Database), strconv.FormatInt(ready.Schema, 10)+" (made for "+strconv.FormatInt(ready.Wanted, 10)+")"
	if err != nil {
		body.Problem = printable(err.Error())
	}
	if err := r.outboxHealth(r.Context(), body, h); err != nil {
		return err
	}
	for _, s := range h.Replicas() {
		body.Replicas = append(body.Replicas, replicaView{oneLine(s.Address), oneLine(s.Reason), size(s.Behind), duration(s.Age), s.InUse})
	}
	body.Pools = table{Title: "Connections", Head: []string{"Pool", "Open", "In use", "Waited", "Waited for"}}
	for _, p := range h.PoolStats() {
		body.Pools.Rows = append(body.Pools.Rows, []string{
			oneLine(p.Name), strconv.Itoa(p.OpenConnections), strconv.Itoa(p.InUse), strconv.FormatInt(p.WaitCount, 10), duration(p.WaitDuration),
		})
	}
	if r.URL.Query().Has("sizes") {
		if err := r.sizes(r.Context(), body, h); err != nil {
			return err
		}
	}
	f := r.frame("Health")
	f.Tab, f.Body = "health", body
	return r.render(http.StatusOK, "health", f)
}

func (r *request) outboxHealth(ctx context.Context, body *healthPage, h store.Health) error {
	d, err := h.Deliveries(ctx)
	if err != nil {
		return err
	}
	for _, one := range []struct {
		n     int64
		label string
	}{
		{d.Open, "in the outbox"}, {d.Overdue, "overdue"}, {d.Claimed, "being sent"}, {d.Retrying, "to be tried again"}, {d.Failed, "failed for good"},
	} {
		body.Tiles = append(body.Tiles, tile{strconv.FormatInt(one.n, 10), one.label})
	}
	body.NoWorker, body.OldestDue = r.in.options.NoWorker, r.at(d.OldestDue)
	if d.Overdue > 0 {
		body.Waiting = waiting(d.Overdue)
	}
	return nil
}

// waiting says how many replies are due and that no worker has them.
func waiting(n int64) string {
	if n == 1 {
		return "One reply is due, and no worker has it"
	}
	return strconv.FormatInt(n, 10) + " replies are due, and no worker has them"
}

func (r *request) sizes(ctx context.Context, body *healthPage, h store.Health) error {
	list, err := h.TableSizes(ctx)
	if errors.Is(err, store.ErrUnsupported) {
		body.SizesError = printable(err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	body.Sizes = &table{Title: "Tables", Names: true, Head: []string{"Table", "Rows", "Data", "Indexes", "All"}}
	for _, t := range list {
		body.Sizes.Rows = append(body.Sizes.Rows, []string{
			oneLine(t.Table), strconv.FormatInt(t.Rows, 10), size(t.Heap), size(t.Indexes), size(t.Total),
		})
	}
	return nil
}
