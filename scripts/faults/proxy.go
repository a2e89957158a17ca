package main

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// proxies stand between clients and brokers. Brokers advertise their own addresses, so the proxies put theirs into the
// answers to Metadata and FindCoordinator; everything else passes as it is.
type proxies struct {
	addrs []string // of the proxies, in the order of the brokers

	mu        sync.Mutex
	brokers   map[int32]string // proxy by node id
	link      linkFault
	rng       *rand.Rand
	cuts      int // connections cut
	listeners []net.Listener
	open      map[net.Conn]bool
	wg        sync.WaitGroup
}

// linkFault is what the links do to what passes.
type linkFault struct {
	cut     bool          // cut each connection after a random number of bytes of either direction
	bytesPS int           // of each connection and direction; 0: as fast as can be
	latency time.Duration // of each frame
}

// startProxies listens for each broker: ids and addresses in the same order.
func startProxies(ids []int32, brokers []string, seed uint64) (*proxies, error) {
	p := &proxies{brokers: map[int32]string{}, rng: rand.New(rand.NewPCG(seed, 9)), open: map[net.Conn]bool{}}
	for i, broker := range brokers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.listeners = append(p.listeners, l)
		p.addrs = append(p.addrs, l.Addr().String())
		p.brokers[ids[i]] = l.Addr().String()
		p.wg.Go(func() { p.accept(l, broker) })
	}
	return p, nil
}

// set changes what the links do; open connections notice as well, except that a cut begins with new ones.
func (p *proxies) set(f linkFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.link = f
}

func (p *proxies) fault() linkFault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// cutSoFar is how many connections were cut.
func (p *proxies) cutSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// cutAll cuts every connection now.
func (p *proxies) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for nc := range p.open {
		nc.Close()
		p.cuts++
	}
}

func (p *proxies) close() error {
	var errs []error
	for _, l := range p.listeners {
		errs = append(errs, l.Close())
	}
	p.cutAll()
	p.wg.Wait()
	return errors.Join(errs...)
}

func (p *proxies) accept(l net.Listener, broker string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", broker)
		if err != nil {
			client.Close() // as a broker that is down
			continue
		}
		p.mu.Lock()
		p.open[client] = true
		c := &proxied{p: p, client: client, server: server, asked: map[int32]kmsg.Request{},
			toServer: 2000 + p.rng.IntN(100000), toClient: 200 + p.rng.IntN(4000)}
		p.mu.Unlock()
		p.wg.Go(func() { c.pass(c.requests) })
		p.wg.Go(func() { c.pass(c.responses) })
	}
}

// proxied is one connection.
type proxied struct {
	p                  *proxies
	client, server     net.Conn
	toServer, toClient int // bytes until a cut

	mu    sync.Mutex
	asked map[int32]kmsg.Request // requests whose answers have addresses, by correlation
}

// pass runs one direction until either side ends.
func (c *proxied) pass(direction func() error) {
	_ = direction() // whatever ended it, the other side sees its connection end
	c.client.Close()
	c.server.Close()
	c.p.mu.Lock()
	delete(c.p.open, c.client)
	c.p.mu.Unlock()
}

func (c *proxied) requests() error {
	for {
		frame, err := readFrame(c.client)
		if err != nil {
			return err
		}
		if req := addressing(frame); req != nil {
			c.mu.Lock()
			c.asked[int32(binary.BigEndian.Uint32(frame[8:]))] = req
			c.mu.Unlock()
		}
		if err := c.write(c.server, frame, &c.toServer); err != nil {
			return err
		}
	}
}

// addressing is a request, with its version alone, if its answer has brokers' addresses; nil: it has none.
func addressing(frame []byte) kmsg.Request {
	if len(frame) < 12 {
		return nil
	}
	key := kmsg.Key(binary.BigEndian.Uint16(frame[4:]))
	if key != kmsg.Metadata && key != kmsg.FindCoordinator {
		return nil
	}
	req := key.Request()
	req.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
	return req
}

func (c *proxied) responses() error {
	for {
		frame, err := readFrame(c.server)
		if err != nil {
			return err
		}
		correlation := int32(binary.BigEndian.Uint32(frame[4:]))
		c.mu.Lock()
		req := c.asked[correlation]
		delete(c.asked, correlation)
		c.mu.Unlock()
		if req != nil {
			if frame, err = c.p.rewrite(req, frame); err != nil {
				return err
			}
		}
		if err := c.write(c.client, frame, &c.toClient); err != nil {
			return err
		}
	}
}

// rewrite puts the proxies' addresses into an answer.
func (p *proxies) rewrite(req kmsg.Request, frame []byte) ([]byte, error) {
	head := 8
	if req.IsFlexible() {
		head = 9 // without tags
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(frame[head:]); err != nil {
		return nil, err
	}
	switch resp := resp.(type) {
	case *kmsg.MetadataResponse:
		for i := range resp.Brokers {
			b := &resp.Brokers[i]
			p.readdress(b.NodeID, &b.Host, &b.Port)
		}
	case *kmsg.FindCoordinatorResponse:
		p.readdress(resp.NodeID, &resp.Host, &resp.Port)
		for i := range resp.Coordinators {
			c := &resp.Coordinators[i]
			p.readdress(c.NodeID, &c.Host, &c.Port)
		}
	}
	out := resp.AppendTo(frame[:head:head])
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}

// readdress replaces a broker's address by its proxy's, if it has one.
func (p *proxies) readdress(id int32, host *string, port *int32) {
	addr, err := netip.ParseAddrPort(p.brokers[id])
	if err != nil {
		return // no broker: the answer is an error
	}
	*host, *port = addr.Addr().String(), int32(addr.Port())
}

// errCut ends a connection on purpose.
var errCut = errors.New("cut")

// piece is how much is written at once where the link isn't free.
const piece = 2 << 10

// write passes a frame on as the link allows; left is what this direction has until a cut, which may come in the middle.
func (c *proxied) write(to net.Conn, frame []byte, left *int) error {
	if d := c.p.fault().latency; d > 0 {
		time.Sleep(d)
	}
	for len(frame) > 0 {
		f := c.p.fault()
		n := len(frame)
		if f.bytesPS > 0 {
			n = min(n, piece)
			time.Sleep(time.Duration(n) * time.Second / time.Duration(f.bytesPS))
		}
		if f.cut {
			if *left <= n {
				_, err := to.Write(frame[:*left])
				c.p.mu.Lock()
				c.p.cuts++
				c.p.mu.Unlock()
				return errors.Join(errCut, err)
			}
			*left -= n
		}
		if _, err := to.Write(frame[:n]); err != nil {
			return err
		}
		frame = frame[n:]
	}
	return nil
}

// readFrame reads a request or response with its length. The length comes from a client or broker of this program.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > 100<<20 {
		return nil, errors.New("not a frame")
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
