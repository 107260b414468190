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

// Asks the broker, through the executor.
func call(head map[string]any, body []byte) (int, functions.Headers, []byte, error) {
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

func fail(reason, message string, stack any) {
	flush()
	send(map[string]any{"kind": "failed", "reason": reason, "message": cut(message, 65_536), "stack": stack, "memoryBytes": memory()}, nil)
}

func run(head frame) {
	defer func() {
		if problem := recover(); problem != nil {
			fail("THREW", fmt.Sprint("panic: ", problem), string(debug.Stack()))
		}
	}()
	for name, value := range head.Variables {
		os.Setenv(name, value)
	}
	path, text, _ := strings.Cut(head.URL, "?")
	query, _ := url.ParseQuery(text)
	request := functions.Request{Method: head.Method, URL: head.URL, Path: path, Query: query, Headers: head.Headers, Body: head.body}
	response, err := function.Main(functions.NewContext(request, head.Variables, say, call))
	switch {
	case err != nil:
		fail("THREW", err.Error(), nil)
	case response == nil:
		fail("INVALID_ANSWER", "The function returned nil: return context.Res.JSON(…), or another of Res.", nil)
	default:
		answer(response, head.IsStreamed)
	}
}

func answer(response *functions.Response, isStreamed bool) {
	if response.Headers == nil {
		response.Headers = functions.Headers{}
	}
	if response.Status == 0 {
		response.Status = 200
	}
	body := response.Body
	head := map[string]any{"kind": "head", "status": response.Status, "headers": response.Headers}
	if response.Stream != nil && isStreamed {
		send(head, nil)
		chunk := make([]byte, 64*1024)
		for {
			count, err := response.Stream.Read(chunk)
			if count > 0 {
				send(map[string]any{"kind": "chunk"}, chunk[:count])
			}
			if err != nil {
				break
			}
		}
		body = nil
	} else if response.Stream != nil {
		body, _ = io.ReadAll(response.Stream)
	}
	flush()
	head["kind"] = "end"
	head["memoryBytes"] = memory()
	send(head, body)
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
