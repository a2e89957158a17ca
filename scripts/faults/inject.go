package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fault is something that goes wrong under load, and is well again when inject returns.
type fault struct {
	name     string
	what     string // for readers
	brief    bool   // part of the short form
	proxied  bool   // clients reach the brokers through proxies
	touching bool   // must have made producers retry, or it can't have taken place
	many     bool   // needs several nodes
	inject   func(context.Context, *scene) error
	// transactions: the producers are transactional.
	transactions bool
}

func faults() []*fault {
	return []*fault{
		{name: "kill", what: "kill -9 of a leader, restarted after 12 s", touching: true, inject: kill},
		{name: "restart", what: "each node shut down in order and started again, one after the other", brief: true, touching: true, inject: restart},
		{name: "stop", what: "a leader stopped (SIGSTOP) for 30 s and continued", touching: true, inject: stop},
		{name: "cut", what: "connections cut in the middle of requests and before answers", brief: true, proxied: true, touching: true, inject: cut},
		{name: "slow", what: "links of 40 kB/s and 30 ms a frame", proxied: true, inject: slow},
		{name: "quota", what: "a producer quota of 60 kB/s a broker", inject: quota},
		{name: "recreate", what: "topics deleted and made again", brief: true, touching: true, inject: recreate},
		{name: "grow", what: "partitions added", brief: true, inject: grow},
		{name: "disk", what: "a leader's disk full until it goes down, then room again", touching: true, inject: fillDisk},
		{name: "readonly", what: "a leader's disk read-only until it goes down, then a good one with the same data", touching: true, inject: readOnlyDisk},
		{name: "txn-coordinator", what: "transactions: kill -9 of their coordinator, restarted after 12 s", many: true, transactions: true, inject: killCoordinator},
		{name: "txn-kill", what: "transactions: kill -9 of a leader (of a single node: and coordinator), restarted after 12 s", brief: true, transactions: true, touching: true, inject: kill},
		{name: "txn-restart", what: "transactions: each node shut down in order and started again", transactions: true, touching: true, inject: restart},
		{name: "txn-stop", what: "transactions: a leader stopped for 30 s and continued", transactions: true, touching: true, inject: stop},
		{name: "txn-cut", what: "transactions: connections cut, also to coordinators", transactions: true, proxied: true, touching: true, inject: cut},
	}
}

// less is d, or a part of it in the short form.
func (s *scene) less(d, short time.Duration) time.Duration {
	if s.short {
		return short
	}
	return d
}

func kill(ctx context.Context, s *scene) error {
	i, err := s.leader(ctx)
	if err != nil {
		return err
	}
	return s.killNode(ctx, i)
}

func killCoordinator(ctx context.Context, s *scene) error {
	id := s.txns[0].id
	found := s.adm.FindTxnCoordinators(ctx, id)[id]
	if found.Err != nil {
		return found.Err
	}
	i, err := s.node(found.NodeID)
	if err != nil {
		return err
	}
	return s.killNode(ctx, i)
}

// killNode kills a node and starts it again after a while.
func (s *scene) killNode(ctx context.Context, i int) error {
	if err := s.target.Kill(i); err != nil {
		return err
	}
	if err := sleep(ctx, s.less(12*time.Second, 3*time.Second)); err != nil {
		return err
	}
	return s.target.Restart(ctx, i)
}

func restart(ctx context.Context, s *scene) error {
	for i := range s.nodes {
		if err := s.target.Restart(ctx, i); err != nil {
			return err
		}
		if err := errors.Join(s.settle(ctx), sleep(ctx, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func stop(ctx context.Context, s *scene) error {
	i, err := s.leader(ctx)
	if err != nil {
		return err
	}
	if err := s.target.Stop(i); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, s.less(30*time.Second, 8*time.Second)), s.target.Continue(i))
}

func cut(ctx context.Context, s *scene) error {
	s.proxies.set(linkFault{cut: true})
	s.proxies.cutAll()
	err := sleep(ctx, s.less(12*time.Second, 4*time.Second))
	s.proxies.set(linkFault{})
	s.seen = fmt.Sprintf("%d connections cut", s.proxies.cutSoFar())
	return err
}

func slow(ctx context.Context, s *scene) error {
	s.proxies.set(linkFault{bytesPS: 40_000, latency: 30 * time.Millisecond})
	err := sleep(ctx, s.less(12*time.Second, 4*time.Second))
	s.proxies.set(linkFault{})
	return err
}

func quota(ctx context.Context, s *scene) error {
	name := clientID
	set := func(remove bool) error {
		resp, err := s.adm.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}},
			Ops:    []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Value: 60_000, Remove: remove}},
		}})
		for _, r := range resp {
			err = errors.Join(err, r.Err)
		}
		return err
	}
	if err := set(false); err != nil {
		return err
	}
	return errors.Join(sleep(ctx, s.less(12*time.Second, 4*time.Second)), set(true))
}

func recreate(ctx context.Context, s *scene) error {
	if err := s.remove(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, 1500*time.Millisecond); err != nil {
		return err
	}
	if err := s.create(ctx); err != nil {
		return err
	}
	s.until = time.Now()
	return sleep(ctx, s.less(8*time.Second, 3*time.Second))
}

func grow(ctx context.Context, s *scene) error {
	resp, err := s.adm.CreatePartitions(ctx, partitions, s.topics()...)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return err
	}
	for _, ld := range s.loads {
		ld.partitions.Store(2 * partitions) // before the producers have heard of them
	}
	if err := sleep(ctx, s.less(6*time.Second, 4*time.Second)); err != nil {
		return err
	}
	// They have to be in use by now.
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.target.Bootstrap...))
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := endOffsets(ctx, cl, s.topics()...)
	if err != nil {
		return err
	}
	fresh := int64(0)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Partition >= partitions {
			fresh += o.Offset
			if o.Offset == 0 {
				err = errors.Join(err, fmt.Errorf("nothing was produced to the new partition %d of %s", o.Partition, o.Topic))
			}
		}
	})
	s.seen = fmt.Sprintf("%d records in new partitions", fresh)
	return err
}
