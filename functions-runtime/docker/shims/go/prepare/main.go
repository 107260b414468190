// What most functions use of the standard library: compiled once, and kept in the image of builds.
package main

import (
	_ "bufio"
	_ "bytes"
	_ "encoding/base64"
	_ "encoding/binary"
	_ "encoding/json"
	_ "errors"
	_ "fmt"
	_ "io"
	_ "log"
	_ "net/url"
	_ "os"
	_ "runtime/debug"
	_ "sort"
	_ "strconv"
	_ "strings"
	_ "sync"
	_ "sync/atomic"
)

func main() {}
