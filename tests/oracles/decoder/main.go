// Command decoder answers what Kubernetes' clients read in a text.
//
// One request a line on standard input, one answer a line on standard output, both JSON, in order.
// A request is {"text": "<base64 of the bytes of a file>"}. The answer lists, document after
// document, either the value that would be sent to the API server or the reason why there is none.
// kubectl stops at the first such reason; here reading goes on behind it.
//
// Values are written as JSON in one form only: keys sorted by their bytes, no blanks, and in strings
// only quotes, backslashes and control characters escaped, the latter as \u00xx.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	goyaml "go.yaml.in/yaml/v2"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	jsonutil "k8s.io/apimachinery/pkg/util/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	lineLimit = 64 << 20
	// As kubectl asks for when it guesses whether a file is JSON.
	guess = 4096
	// More errors than this in one text say nothing new.
	mostErrors = 1000
)

type request struct {
	Text string `json:"text"`
}

type answer struct {
	Panic     string     `json:"panic,omitempty"`
	Bad       string     `json:"bad,omitempty"`
	Documents []document `json:"documents"`
	// Twice: a key of a YAML document is written twice, which strict decoding refuses.
	Twice bool `json:"twice"`
	// Strict: all documents can be read strictly as YAML, but for such keys.
	Strict bool `json:"strict"`
	// Chance: two keys differ in YAML and are one in JSON, so that chance decides which one stays.
	Chance bool `json:"chance"`
}

type document struct {
	Value string `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func respond(line []byte) (out answer) {
	defer func() {
		if recovered := recover(); recovered != nil {
			out = answer{Panic: fmt.Sprint(recovered)}
		}
	}()
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return answer{Bad: err.Error()}
	}
	raw, err := base64.StdEncoding.DecodeString(req.Text)
	if err != nil {
		return answer{Bad: err.Error()}
	}
	// kubectl reads every file through this decoder.
	utf8 := unicode.BOMOverride(unicode.UTF8.NewDecoder())
	text, _, err := transform.Bytes(utf8, raw)
	if err != nil {
		return answer{Bad: err.Error()}
	}
	out.Documents = documents(text)
	out.Twice, out.Strict, out.Chance = keys(text)
	return out
}

// documents follows StreamVisitor of k8s.io/cli-runtime, which kubectl reads files with, and which
// passes over what is null.
func documents(text []byte) []document {
	out := []document{}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), guess)
	for failures := 0; failures < mostErrors; {
		ext := runtime.RawExtension{}
		if err := decoder.Decode(&ext); err != nil {
			if errors.Is(err, io.EOF) {
				return out
			}
			// A JSON stream that broke off gives the same error for ever.
			last := len(out) - 1
			if last < 0 || out[last].Error != err.Error() {
				out = append(out, document{Error: err.Error()})
			}
			failures++
			continue
		}
		ext.Raw = bytes.TrimSpace(ext.Raw)
		if len(ext.Raw) == 0 {
			continue
		}
		value, err := canonical(ext.Raw)
		if err != nil {
			out = append(out, document{Error: err.Error()})
			failures++
			continue
		}
		out = append(out, document{Value: value})
	}
	return out
}

// canonical reads JSON as objects without a Go type are read, and writes it in the one form.
func canonical(raw []byte) (string, error) {
	var value any
	if err := jsonutil.Unmarshal(raw, &value); err != nil {
		return "", err
	}
	var out strings.Builder
	if err := write(&out, value); err != nil {
		return "", err
	}
	return out.String(), nil
}

func write(out *strings.Builder, value any) error {
	switch v := value.(type) {
	case string:
		quote(out, v)
	case []any:
		out.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := write(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			quote(out, name)
			out.WriteByte(':')
			if err := write(out, v[name]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case float64:
		if v == 0 {
			v = math.Abs(v)
		}
		return writeScalar(out, v)
	default:
		return writeScalar(out, v)
	}
	return nil
}

func writeScalar(out *strings.Builder, value any) error {
	text, err := json.Marshal(value)
	out.Write(text)
	return err
}

func quote(out *strings.Builder, text string) {
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < 0x20:
			fmt.Fprintf(out, "\\u%04x", r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
}

// keys looks at the keys of the YAML documents: written twice, and one only in JSON.
func keys(text []byte) (twice, strict, chance bool) {
	strict = true
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for failures := 0; failures < mostErrors; {
		chunk, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			failures++
			strict = false
			continue
		}
		if _, err := yaml.YAMLToJSONStrict(chunk); err != nil {
			again := strings.Contains(err.Error(), "already set in map")
			twice = twice || again
			strict = strict && again
		}
		var value any
		if goyaml.Unmarshal(chunk, &value) == nil {
			chance = chance || collide(value)
		}
	}
	return twice, strict, chance
}

func collide(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, collide)
	case map[any]any:
		seen := map[string]bool{}
		for key, inner := range v {
			name := fmt.Sprint(key)
			if seen[name] || collide(inner) {
				return true
			}
			seen[name] = true
		}
	}
	return false
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 1<<20), lineLimit)
	writer := bufio.NewWriter(out)
	for lines.Scan() {
		text, err := json.Marshal(respond(lines.Bytes()))
		if err != nil {
			return err
		}
		if _, err := writer.Write(append(text, '\n')); err != nil {
			return err
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}
