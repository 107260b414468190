// Runs functions in a container, one at a time: frames come on descriptor 3 and go on 4 (functions-runtime/docker/frames.ts).
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	function "FUNCTION_MODULE"
	"tendril/functions"
)

type reply struct {
	Call    int
	Error   *struct{ Message string }
	Status  int
	headers functions.Headers
	body    []byte
}

type frame struct {
	Kind, Entrypoint, Method, URL string
	Headers                       functions.Headers
	Variables                     map[string]string
	IsStreamed                    bool
	reply
}

var (
	source  = bufio.NewReader(os.NewFile(3, "source"))
	target  = os.NewFile(4, "target")
	writing sync.Mutex
	waiting sync.Map
	calls   int
	calling sync.Mutex
)

func send(head map[string]any, body []byte) {
	text, err := json.Marshal(head)
	if err != nil {
		panic(err)
	}
	bytes := make([]byte, 8, 8+len(text)+len(body))
	binary.BigEndian.PutUint32(bytes, uint32(len(text)))
	binary.BigEndian.PutUint32(bytes[4:], uint32(len(body)))
	writing.Lock()
	defer writing.Unlock()
	target.Write(append(append(bytes, text...), body...))
}

func receive() (frame, error) {
	var lengths [8]byte
	var head frame
	if _, err := io.ReadFull(source, lengths[:]); err != nil {
		return head, err
	}
	text := make([]byte, binary.BigEndian.Uint32(lengths[:4]))
	head.body = make([]byte, binary.BigEndian.Uint32(lengths[4:]))
	if _, err := io.ReadFull(source, text); err != nil {
		return head, err
	}
	if _, err := io.ReadFull(source, head.body); err != nil {
		return head, err
	}
	return head, json.Unmarshal(text, &head)
}

// One run, as what it leaves behind knows it: that is no part of the next.
type own struct {
	isOver atomic.Bool
	asking atomic.Int32
}

// Asks the broker, through the executor.
func (run *own) call(head map[string]any, body []byte) (int, functions.Headers, []byte, error) {
	run.asking.Add(1)
	defer run.asking.Add(-1)
	if run.isOver.Load() {
		return 0, nil, nil, errors.New("The run is over.")
	}
	calling.Lock()
	calls++
	number := calls
	calling.Unlock()
	answer := make(chan reply, 1)
	waiting.Store(number, answer)
	head["call"] = number
	send(head, body)
	got := <-answer
	if got.Error != nil {
		return 0, nil, nil, errors.New(got.Error.Message)
	}
	return got.Status, got.headers, got.body, nil
}

func cut(text string, length int) string {
	return text[:min(len(text), length)]
}

func (run *own) say(level, text string) {
	if !run.isOver.Load() {
		say(level, text)
	}
}

func say(level, text string) {
	for _, line := range strings.Split(text, "\n") {
		send(map[string]any{"kind": "log", "level": level, "text": cut(line, 10_000)}, nil)
	}
}

func memory() int {
	var size, resident int
	text, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(text), &size, &resident)
	return resident * os.Getpagesize()
}

// Tells how the run has ended. What still waits for a reply would wait for ever: this process ends then.
func (run *own) end(head map[string]any, body []byte) {
	flush()
	run.isOver.Store(true)
	isLast := run.asking.Load() > 0
	head["memoryBytes"] = memory()
	head["isLast"] = isLast
	send(head, body)
	if isLast {
		os.Exit(0)
	}
}

func (run *own) fail(reason, message string, stack any) {
	run.end(map[string]any{"kind": "failed", "reason": reason, "message": cut(message, 65_536), "stack": stack}, nil)
}

// Where a panic came from, without the shim's own frames: a line for each function, and one for its place.
func stack() string {
	lines := strings.Split(strings.TrimSpace(string(debug.Stack())), "\n")
	told := lines[:1]
	for i := 1; i+1 < len(lines); i += 2 {
		name := strings.TrimPrefix(lines[i], "created by ")
		if !strings.HasPrefix(name, "main.") && !strings.HasPrefix(name, "runtime/debug.") && !strings.HasPrefix(name, "panic(") {
			told = append(told, lines[i], lines[i+1])
		}
	}
	return cut(strings.Join(told, "\n"), 65_536)
}

var known = os.Environ()

func setEnvironment(variables map[string]string) {
	os.Clearenv()
	for _, pair := range known {
		name, value, _ := strings.Cut(pair, "=")
		os.Setenv(name, value)
	}
	for name, value := range variables {
		os.Setenv(name, value)
	}
}

// A percent sign that begins nothing stands for itself, as everywhere on the web.
func parseQuery(text string) url.Values {
	query := url.Values{}
	for _, pair := range strings.Split(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair != "" {
			query.Add(decoded(name), decoded(value))
		}
	}
	return query
}

func decoded(text string) string {
	parts := strings.Split(text, "%")
	for i, part := range parts[1:] {
		if _, err := url.QueryUnescape("%" + part); err != nil {
			parts[i+1] = "25" + part
		}
	}
	plain, _ := url.QueryUnescape(strings.Join(parts, "%"))
	return plain
}

func run(head frame) {
	var this own
	defer func() {
		if problem := recover(); problem != nil {
			this.fail("THREW", fmt.Sprint("panic: ", problem), stack())
		}
	}()
	setEnvironment(head.Variables)
	path, text, _ := strings.Cut(head.URL, "?")
	request := functions.Request{Method: head.Method, URL: head.URL, Path: path, Query: parseQuery(text), Headers: head.Headers, Body: head.body}
	response, err := function.Main(functions.NewContext(request, head.Variables, this.say, this.call))
	switch {
	case err != nil:
		this.fail("THREW", err.Error(), nil)
	case response == nil:
		this.fail("INVALID_ANSWER", "The function returned nil: return context.Res.JSON(…), or another of Res.", nil)
	default:
		this.answer(response, head.IsStreamed)
	}
}

func (run *own) answer(response *functions.Response, isStreamed bool) {
	if response.Headers == nil {
		response.Headers = functions.Headers{}
	}
	if response.Status == 0 {
		response.Status = 200
	}
	body := response.Body
	head := map[string]any{"kind": "head", "status": response.Status, "headers": response.Headers}
	var err error
	if response.Stream != nil && isStreamed {
		send(head, nil)
		chunk := make([]byte, 64*1024)
		for err == nil {
			var count int
			count, err = response.Stream.Read(chunk)
			if count > 0 {
				send(map[string]any{"kind": "chunk"}, chunk[:count])
			}
		}
		body = nil
	} else if response.Stream != nil {
		body, err = io.ReadAll(response.Stream)
	}
	if err != nil && err != io.EOF {
		run.fail("THREW", err.Error(), nil)
		return
	}
	head["kind"] = "end"
	run.end(head, body)
}

const mark = "\x00end of a run"

var marked = make(chan bool)

// What is printed becomes lines of the log.
func lines(level string) *os.File {
	reader, writer, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		lines := bufio.NewReader(reader)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			text, isMark := strings.CutSuffix(line, mark)
			if text != "" || !isMark {
				say(level, text)
			}
			if isMark {
				marked <- true
			}
		}
	}()
	return writer
}

var stdout *os.File

// Waits until all that was printed is a line of the log.
func flush() {
	fmt.Fprintln(stdout, mark)
	<-marked
}

func main() {
	stdout = lines("log")
	os.Stdout = stdout
	send(map[string]any{"kind": "ready"}, nil)
	for {
		head, err := receive()
		if err != nil {
			return
		}
		if head.Kind == "run" {
			go run(head)
		} else if answer, isThere := waiting.LoadAndDelete(head.Call); isThere {
			head.reply.headers = head.Headers
			answer.(chan reply) <- head.reply
		}
	}
}
