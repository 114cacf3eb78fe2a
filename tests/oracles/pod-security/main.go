// Command pod-security answers what Kubernetes' own Pod Security evaluator says.
//
// One request a line on standard input, one answer a line on standard output, both JSON, in order.
// A request has exactly one of these members:
//
//	describe  true: which controls each level has at each version
//	object    the text of one Pod or of one object with a pod template, YAML or JSON
//	labels    the labels of a namespace
//
// The object is decoded as the API server decodes it without strict field validation. Of the
// server's defaults only the one that decides a verdict from what is written is applied: a volume
// without a source is an emptyDir.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

const lineLimit = 64 << 20

type request struct {
	Describe bool              `json:"describe"`
	Object   *string           `json:"object"`
	Labels   map[string]string `json:"labels"`
}

type answer struct {
	Panic    string  `json:"panic,omitempty"`
	Bad      string  `json:"bad,omitempty"`
	Refused  string  `json:"refused,omitempty"`
	Controls []forms `json:"controls,omitempty"`
	Levels   []run   `json:"levels,omitempty"`
	Alone    []run   `json:"alone,omitempty"`
	Modes    *modes  `json:"modes,omitempty"`
}

// A control and the minor versions at which its forms begin.
type forms struct {
	ID    string `json:"id"`
	Level string `json:"level"`
	From  []int  `json:"from"`
}

// What holds at a stretch of minor versions. Name is a level, or a control by itself.
type run struct {
	Name    string   `json:"name"`
	From    int      `json:"from"`
	To      int      `json:"to"`
	Results []result `json:"results"`
	Message string   `json:"message"`
}

type result struct {
	ID      string `json:"id"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

type modes struct {
	Enforce string   `json:"enforce"`
	Audit   string   `json:"audit"`
	Warn    string   `json:"warn"`
	Errors  []string `json:"errors"`
}

// Versions beyond the newest one that the evaluator knows are asked as well.
const lastMinor = 40

type oracle struct {
	decoder   runtime.Decoder
	whole     policy.Evaluator
	alone     map[string]policy.Evaluator
	controls  []forms
	evaluated []result
}

func newOracle() (*oracle, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	o := &oracle{
		decoder: serializer.NewCodecFactory(scheme).UniversalDeserializer(),
		alone:   map[string]policy.Evaluator{},
	}
	checks := policy.DefaultChecks()
	for i := range checks {
		o.watch(&checks[i])
	}
	whole, err := policy.NewEvaluator(checks, nil)
	if err != nil {
		return nil, err
	}
	o.whole = whole
	for _, check := range checks {
		alone, err := policy.NewEvaluator([]policy.Check{check}, nil)
		if err != nil {
			return nil, err
		}
		o.alone[string(check.ID)] = alone
	}
	return o, nil
}

// watch makes a check note its id with each result, because results carry none.
func (o *oracle) watch(check *policy.Check) {
	id := string(check.ID)
	described := forms{ID: id, Level: string(check.Level)}
	for i := range check.Versions {
		described.From = append(described.From, check.Versions[i].MinimumVersion.Minor())
		inner := check.Versions[i].CheckPod
		check.Versions[i].CheckPod = func(meta *metav1.ObjectMeta, spec *corev1.PodSpec) policy.CheckResult {
			got := inner(meta, spec)
			o.evaluated = append(o.evaluated, result{id, got.Allowed, got.ForbiddenReason, got.ForbiddenDetail})
			return got
		}
	}
	o.controls = append(o.controls, described)
}

func (o *oracle) answer(line []byte) (out answer) {
	defer func() {
		if recovered := recover(); recovered != nil {
			out = answer{Panic: fmt.Sprint(recovered)}
		}
	}()
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return answer{Bad: err.Error()}
	}
	switch {
	case req.Describe:
		return answer{Controls: o.controls}
	case req.Object != nil:
		return o.object(*req.Object)
	case req.Labels != nil:
		return labels(req.Labels)
	}
	return answer{Bad: "the request asks nothing"}
}

func (o *oracle) object(text string) answer {
	decoded, _, err := o.decoder.Decode([]byte(text), nil, nil)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	meta, spec := podOf(decoded)
	if spec == nil {
		return answer{Refused: fmt.Sprintf("%T carries no pod", decoded)}
	}
	for i := range spec.Volumes {
		source := &spec.Volumes[i].VolumeSource
		if reflect.ValueOf(*source).IsZero() {
			source.EmptyDir = &corev1.EmptyDirVolumeSource{}
		}
	}
	out := answer{}
	for _, level := range []api.Level{api.LevelPrivileged, api.LevelBaseline, api.LevelRestricted} {
		out.Levels = append(out.Levels, o.runs(string(level), o.whole, level, meta, spec)...)
	}
	for _, control := range o.controls {
		alone := o.alone[control.ID]
		out.Alone = append(out.Alone, o.runs(control.ID, alone, api.Level(control.Level), meta, spec)...)
	}
	return out
}

func (o *oracle) runs(name string, evaluator policy.Evaluator, level api.Level, meta *metav1.ObjectMeta, spec *corev1.PodSpec) []run {
	var runs []run
	for minor := 0; minor <= lastMinor; minor++ {
		version, err := api.ParseVersion(fmt.Sprintf("v1.%d", minor))
		if err != nil {
			panic(err)
		}
		o.evaluated = []result{}
		results := evaluator.EvaluatePod(api.LevelVersion{Level: level, Version: version}, meta, spec)
		aggregate := policy.AggregateCheckResults(results)
		message := aggregate.ForbiddenDetail()
		last := len(runs) - 1
		if last >= 0 && runs[last].Message == message && reflect.DeepEqual(runs[last].Results, o.evaluated) {
			runs[last].To = minor
			continue
		}
		runs = append(runs, run{name, minor, minor, o.evaluated, message})
	}
	return runs
}

func podOf(object runtime.Object) (*metav1.ObjectMeta, *corev1.PodSpec) {
	of := func(template *corev1.PodTemplateSpec) (*metav1.ObjectMeta, *corev1.PodSpec) {
		if template == nil {
			return nil, nil
		}
		return &template.ObjectMeta, &template.Spec
	}
	switch o := object.(type) {
	case *corev1.Pod:
		return &o.ObjectMeta, &o.Spec
	case *corev1.PodTemplate:
		return of(&o.Template)
	case *corev1.ReplicationController:
		return of(o.Spec.Template)
	case *appsv1.ReplicaSet:
		return of(&o.Spec.Template)
	case *appsv1.Deployment:
		return of(&o.Spec.Template)
	case *appsv1.DaemonSet:
		return of(&o.Spec.Template)
	case *appsv1.StatefulSet:
		return of(&o.Spec.Template)
	case *batchv1.Job:
		return of(&o.Spec.Template)
	case *batchv1.CronJob:
		return of(&o.Spec.JobTemplate.Spec.Template)
	}
	return nil, nil
}

func labels(labels map[string]string) answer {
	open := api.LevelVersion{Level: api.LevelPrivileged, Version: api.LatestVersion()}
	got, errs := api.PolicyToEvaluate(labels, api.Policy{Enforce: open, Audit: open, Warn: open})
	out := &modes{Enforce: got.Enforce.String(), Audit: got.Audit.String(), Warn: got.Warn.String()}
	for _, err := range errs {
		out.Errors = append(out.Errors, err.Field)
	}
	return answer{Modes: out}
}

func main() {
	o, err := newOracle()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := serve(o, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(o *oracle, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 1<<20), lineLimit)
	writer := bufio.NewWriter(out)
	for lines.Scan() {
		text, err := json.Marshal(o.answer(lines.Bytes()))
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
