package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"sync"
)

// recordCounter counts the records in what comes over WebSockets, by reading along at the bytes of the connection.
type recordCounter struct {
	mutex   sync.Mutex
	records int
}

func (c *recordCounter) httpClient() *http.Client {
	dial := func(network, address string) (net.Conn, error) {
		connection, err := net.Dial(network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: connection, counter: c}, nil
	}
	return &http.Client{Transport: &http.Transport{Dial: dial}}
}

func (c *recordCounter) count() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.records
}

type countedConn struct {
	net.Conn
	counter    *recordCounter
	isUpgraded bool
	unread     []byte
}

func (c *countedConn) Read(into []byte) (int, error) {
	size, err := c.Conn.Read(into)
	c.unread = append(c.unread, into[:size]...)
	if !c.isUpgraded {
		_, rest, isWhole := bytes.Cut(c.unread, []byte("\r\n\r\n"))
		if !isWhole {
			return size, err
		}
		c.isUpgraded, c.unread = true, rest
	}
	for c.takeMessage() {
	}
	return size, err
}

// takeMessage reads a message of one part that is not masked, which is how brokers send.
func (c *countedConn) takeMessage() bool {
	if len(c.unread) < 2 {
		return false
	}
	at, size := 2, int(c.unread[1])
	switch {
	case size == 126 && len(c.unread) >= 4:
		at, size = 4, int(binary.BigEndian.Uint16(c.unread[2:]))
	case size == 127 && len(c.unread) >= 10:
		at, size = 10, int(binary.BigEndian.Uint64(c.unread[2:]))
	case size > 125:
		return false
	}
	if len(c.unread) < at+size {
		return false
	}
	opcode, message := c.unread[0]&15, c.unread[at:at+size]
	c.unread = c.unread[at+size:]
	if opcode == 2 {
		c.countIn(message)
	}
	return true
}

func (c *countedConn) countIn(message []byte) {
	var header struct {
		Records []struct{} `json:"records"`
	}
	headerSize := binary.BigEndian.Uint32(message)
	check(json.Unmarshal(message[4:4+headerSize], &header))
	c.counter.mutex.Lock()
	defer c.counter.mutex.Unlock()
	c.counter.records += len(header.Records)
}
