// Package functions is what a function in Go sees: `func Main(context *functions.Context) (*functions.Response, error)`.
package functions

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

type Headers map[string]string

// Request has its headers by lower-case names.
type Request struct {
	Method, URL, Path string
	Query             url.Values
	Headers           Headers
	Body              []byte
}

// JSON reads the body into a value.
func (r *Request) JSON(value any) error { return json.Unmarshal(r.Body, value) }

// Response has its body in one piece or as a stream.
type Response struct {
	Status  int
	Headers Headers
	Body    []byte
	Stream  io.Reader
}

type Responses struct{}

func (Responses) JSON(value any) (*Response, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return response(200, "application/json", body), nil
}

func (Responses) Text(text string) (*Response, error) {
	return response(200, "text/plain; charset=utf-8", []byte(text)), nil
}

func (Responses) Binary(body []byte) (*Response, error) {
	return response(200, "application/octet-stream", body), nil
}

// Stream sends what the reader gives, as it comes.
func (Responses) Stream(reader io.Reader) (*Response, error) {
	answer := response(200, "application/octet-stream", nil)
	answer.Stream = reader
	return answer, nil
}

func (Responses) Empty() (*Response, error) { return &Response{Status: 204}, nil }

func (Responses) Redirect(to string) (*Response, error) {
	return &Response{Status: 302, Headers: Headers{"location": to}}, nil
}

func response(status int, kind string, body []byte) *Response {
	return &Response{Status: status, Headers: Headers{"content-type": kind}, Body: body}
}

// FetchRequest is GET where it has no method.
type FetchRequest struct {
	Method, URL string
	Headers     Headers
	Body        []byte
}

type FetchResponse struct {
	Status  int
	Headers Headers
	Body    []byte
}

// Context is one run.
type Context struct {
	Req Request
	Res Responses
	Env map[string]string

	say  func(level, text string)
	call func(head map[string]any, body []byte) (int, Headers, []byte, error)
}

// NewContext is for the program that runs functions.
func NewContext(req Request, env map[string]string, say func(level, text string),
	call func(head map[string]any, body []byte) (int, Headers, []byte, error)) *Context {
	return &Context{Req: req, Env: env, say: say, call: call}
}

func (c *Context) Log(values ...any)   { c.say("log", shown(values)) }
func (c *Context) Error(values ...any) { c.say("error", shown(values)) }

func shown(values []any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// GraphQLError is what the API has answered with errors.
type GraphQLError struct {
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

func (e *GraphQLError) Error() string {
	var messages []string
	for _, one := range e.Errors {
		messages = append(messages, one.Message)
	}
	return strings.Join(messages, "\n")
}

// GraphQL reads what the project's own API answers, its data, into a value. It answers a *GraphQLError on errors.
func (c *Context) GraphQL(query string, variables map[string]any, answer any) error {
	if variables == nil {
		variables = map[string]any{}
	}
	_, _, body, err := c.call(map[string]any{"kind": "graphql", "query": query, "variables": variables}, nil)
	if err != nil {
		return err
	}
	var read struct {
		Data json.RawMessage
		GraphQLError
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return err
	}
	if len(read.Errors) > 0 {
		return &read.GraphQLError
	}
	return json.Unmarshal(read.Data, answer)
}

func (c *Context) Fetch(request FetchRequest) (*FetchResponse, error) {
	if request.Method == "" {
		request.Method = "GET"
	}
	if request.Headers == nil {
		request.Headers = Headers{}
	}
	head := map[string]any{"kind": "fetch", "method": request.Method, "url": request.URL, "headers": request.Headers}
	status, headers, body, err := c.call(head, request.Body)
	if err != nil {
		return nil, err
	}
	return &FetchResponse{Status: status, Headers: headers, Body: body}, nil
}
