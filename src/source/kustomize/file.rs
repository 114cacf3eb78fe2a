//! What a kustomization file says, each value with its place.

use crate::document::{Node, Span, Value};

use super::Refused;

/// A string and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'s> {
    pub(super) text: &'s str,
    pub(super) at: Span,
}

/// An entry of a map of strings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'s> {
    pub(super) key: &'s str,
    pub(super) key_at: Option<Span>,
    pub(super) value: Text<'s>,
}

/// An entry of `labels`.
#[derive(Debug)]
pub(super) struct Labels<'s> {
    pub(super) pairs: Vec<Pair<'s>>,
    pub(super) selectors: bool,
    pub(super) templates: bool,
    pub(super) claims: bool,
}

/// An entry of `images`.
#[derive(Debug)]
pub(super) struct Image<'s> {
    pub(super) at: Span,
    pub(super) name: &'s str,
    pub(super) new_name: Option<Text<'s>>,
    pub(super) tag: Option<Text<'s>>,
    pub(super) suffix: Option<Text<'s>>,
    pub(super) digest: Option<Text<'s>>,
}

/// An entry of `replicas`.
#[derive(Debug)]
pub(super) struct Replica<'s> {
    pub(super) at: Span,
    pub(super) name: &'s str,
    pub(super) count: i64,
    pub(super) count_at: Span,
}

/// What a patch is for.
#[derive(Debug, Default)]
pub(super) struct Target<'s> {
    pub(super) group: &'s str,
    pub(super) version: &'s str,
    pub(super) kind: &'s str,
    pub(super) name: &'s str,
    pub(super) namespace: &'s str,
    pub(super) labels: &'s str,
    pub(super) annotations: &'s str,
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Debug)]
pub(super) struct Patch<'s> {
    pub(super) at: Span,
    pub(super) path: Option<Text<'s>>,
    pub(super) inline: Option<Text<'s>>,
    pub(super) target: Option<Target<'s>>,
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Debug)]
pub(super) struct Generator<'s> {
    pub(super) at: Span,
    pub(super) secret: bool,
    pub(super) name: Text<'s>,
    pub(super) namespace: Option<Text<'s>>,
    pub(super) behavior: &'s str,
    pub(super) kind: Option<Text<'s>>,
    pub(super) literals: Vec<Text<'s>>,
    pub(super) files: Vec<Text<'s>>,
    pub(super) envs: Vec<Text<'s>>,
    pub(super) options: Options<'s>,
}

/// What `generatorOptions` or `options` say.
#[derive(Clone, Debug, Default)]
pub(super) struct Options<'s> {
    pub(super) labels: Vec<Pair<'s>>,
    pub(super) annotations: Vec<Pair<'s>>,
    pub(super) no_hash: bool,
    pub(super) immutable: Option<Span>,
}

/// A kustomization file.
#[derive(Debug, Default)]
pub(super) struct File<'s> {
    pub(super) component: bool,
    pub(super) resources: Vec<Text<'s>>,
    pub(super) components: Vec<Text<'s>>,
    pub(super) namespace: Option<Text<'s>>,
    pub(super) prefix: Option<Text<'s>>,
    pub(super) suffix: Option<Text<'s>>,
    pub(super) labels: Vec<Labels<'s>>,
    pub(super) common_labels: Vec<Pair<'s>>,
    pub(super) annotations: Vec<Pair<'s>>,
    pub(super) merges: Vec<Text<'s>>,
    pub(super) patches: Vec<Patch<'s>>,
    pub(super) json_patches: Vec<Patch<'s>>,
    pub(super) images: Vec<Image<'s>>,
    pub(super) replicas: Vec<Replica<'s>>,
    pub(super) config_maps: Vec<Generator<'s>>,
    pub(super) secrets: Vec<Generator<'s>>,
    options: Options<'s>,
}

/// Fields that only kustomize itself can follow.
const EXTERNAL: [&str; 14] = [
    "buildMetadata",
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "openapi",
    "replacements",
    "transformers",
    "validators",
    "vars",
    "imageTags",
    "sortOptions",
];

type Result<T> = std::result::Result<T, Refused>;

impl<'s> File<'s> {
    /// Reads a kustomization file.
    pub(super) fn read(root: Node<'s>) -> Result<Self> {
        if !root.is_map() {
            return Err(wrong(root, "the kustomization", "a map"));
        }
        let mut file = Self::default();
        let (mut api_version, mut kind, mut empty) = (None, None, true);
        let mut bases = Vec::new();
        for field in root.children() {
            let key = field.key();
            match key {
                "apiVersion" => api_version = text(field)?,
                "kind" => kind = text(field)?,
                _ if EXTERNAL.contains(&key) => external(field, &mut empty)?,
                "bases" => bases = texts(field)?,
                _ => file.field(field)?,
            }
            empty &= matches!(key, "apiVersion" | "kind") || is_zero(field);
        }
        file.resources.append(&mut bases);
        file.component = match kind.map_or("", |kind| kind.text) {
            "" | "Kustomization" => false,
            "Component" => true,
            _ => {
                return Err(broken(
                    root.span(),
                    "the kind is neither `Kustomization` nor `Component`",
                ));
            }
        };
        let version = if file.component { "v1alpha1" } else { "v1beta1" };
        let wanted = format!("kustomize.config.k8s.io/{version}");
        if api_version.is_some_and(|v| !v.text.is_empty() && v.text != wanted) {
            return Err(broken(root.span(), &format!("the version is not `{wanted}`")));
        }
        if empty {
            let message = "the kustomization is empty".to_owned();
            return Err(Refused::Broken { at: root.span(), message, help: "list its resources" });
        }
        file.share_options();
        Ok(file)
    }

    fn field(&mut self, field: Node<'s>) -> Result<()> {
        match field.key() {
            "metadata" => _ = maps(field)?,
            "resources" => self.resources = texts(field)?,
            "components" => self.components = texts(field)?,
            "namespace" => self.namespace = filled(field)?,
            "namePrefix" => self.prefix = filled(field)?,
            "nameSuffix" => self.suffix = filled(field)?,
            "labels" => self.labels = list(field, labels)?,
            "commonLabels" => self.common_labels = pairs(field)?,
            "commonAnnotations" => self.annotations = pairs(field)?,
            "patchesStrategicMerge" => self.merges = texts(field)?,
            "patches" => self.patches = list(field, patch)?,
            "patchesJson6902" => self.json_patches = list(field, patch)?,
            "images" => self.images = list(field, image)?,
            "replicas" => self.replicas = list(field, replica)?,
            "configMapGenerator" => self.config_maps = list(field, |item| generator(item, false))?,
            "secretGenerator" => self.secrets = list(field, |item| generator(item, true))?,
            "generatorOptions" => self.options = options(field)?,
            _ => return Err(unknown(field)),
        }
        Ok(())
    }

    /// Options of all generators reach each of them; its own win.
    fn share_options(&mut self) {
        let shared = &self.options;
        for generator in self.config_maps.iter_mut().chain(&mut self.secrets) {
            let own = &mut generator.options;
            own.no_hash |= shared.no_hash;
            own.immutable = own.immutable.or(shared.immutable);
            add_missing(&mut own.labels, &shared.labels);
            add_missing(&mut own.annotations, &shared.annotations);
        }
    }
}

fn add_missing<'s>(own: &mut Vec<Pair<'s>>, shared: &[Pair<'s>]) {
    for pair in shared {
        if !own.iter().any(|known| known.key == pair.key) {
            own.push(*pair);
        }
    }
}

/// A field that is not followed; an empty one says nothing.
fn external(field: Node<'_>, empty: &mut bool) -> Result<()> {
    if is_zero(field) {
        return Ok(());
    }
    *empty = false;
    Err(Refused::Unsupported {
        at: field.key_span().unwrap_or(field.span()),
        what: field.key().to_owned(),
    })
}

/// Whether Go takes a value for none.
fn is_zero(node: Node<'_>) -> bool {
    match node.value() {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        // Go tells an empty list from none, and kustomize with it.
        _ => false,
    }
}

fn wrong(node: Node<'_>, what: &str, wanted: &str) -> Refused {
    let message = format!("`{what}` is not {wanted}");
    Refused::Broken { at: node.span(), message, help: "write what kustomize expects" }
}

fn broken(at: Span, message: &str) -> Refused {
    let help = "correct it, or leave it out";
    Refused::Broken { at, message: message.to_owned(), help }
}

/// The names of the fields of kustomizations and of what lies in them.
const KNOWN: &str = "annotations annotationSelector apiVersion bases behavior buildMetadata \
    commonAnnotations commonLabels components configMapGenerator configurations count crds digest \
    disableNameSuffixHash env envs fields files generatorOptions generators group helmCharts \
    helmGlobals images imageTags immutable includeSelectors includeTemplates \
    includeVolumeClaimTemplates kind labels labelSelector literals metadata name namePrefix \
    nameSuffix namespace newName newTag openapi options pairs patch patches patchesJson6902 \
    patchesStrategicMerge path replacements replicas resources secretGenerator sortOptions \
    tagSuffix target transformers type validators vars version";

/// A field that kustomize does not know, or knows in another spelling.
fn unknown(field: Node<'_>) -> Refused {
    if KNOWN.split_ascii_whitespace().any(|name| name.eq_ignore_ascii_case(field.key())) {
        // Go takes a field in any case, and of two spellings the last.
        let at = field.key_span().unwrap_or(field.span());
        let what = format!("the field `{}`, whose name is spelt otherwise", field.key());
        return Refused::Unsupported { at, what };
    }
    let message = format!("the kustomization has an unknown field `{}`", field.key());
    let at = field.key_span().unwrap_or(field.span());
    Refused::Broken {
        at,
        message,
        help: "correct its name: kustomize refuses fields it does not know",
    }
}

fn text<'s>(node: Node<'s>) -> Result<Option<Text<'s>>> {
    match node.value() {
        Value::Null => Ok(None),
        Value::Str(text) => Ok(Some(Text { text, at: node.span() })),
        Value::Redacted(_) => {
            Err(Refused::Unsupported { at: node.span(), what: "a withheld value".to_owned() })
        }
        _ => Err(wrong(node, node.key(), "a string")),
    }
}

/// A string that is not empty.
fn filled<'s>(node: Node<'s>) -> Result<Option<Text<'s>>> {
    Ok(text(node)?.filter(|text| !text.text.is_empty()))
}

fn plain<'s>(node: Node<'s>) -> Result<&'s str> {
    Ok(text(node)?.map_or("", |text| text.text))
}

fn flag(node: Node<'_>) -> Result<bool> {
    match node.value() {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(value),
        _ => Err(wrong(node, node.key(), "a boolean")),
    }
}

fn list<'s, T>(node: Node<'s>, of: impl Fn(Node<'s>) -> Result<T>) -> Result<Vec<T>> {
    match node.value() {
        Value::Null => Ok(Vec::new()),
        Value::List => node.children().map(of).collect(),
        _ => Err(wrong(node, node.key(), "a list")),
    }
}

fn texts<'s>(node: Node<'s>) -> Result<Vec<Text<'s>>> {
    list(node, |item| Ok(text(item)?.unwrap_or(Text { text: "", at: item.span() })))
}

/// The entries of a map.
fn maps<'s>(node: Node<'s>) -> Result<Vec<Node<'s>>> {
    match node.value() {
        Value::Null => Ok(Vec::new()),
        Value::Map => Ok(node.children().collect()),
        _ => Err(wrong(node, node.key(), "a map")),
    }
}

fn pairs<'s>(node: Node<'s>) -> Result<Vec<Pair<'s>>> {
    let pair = |child: Node<'s>| {
        let value = text(child)?.unwrap_or(Text { text: "", at: child.span() });
        Ok(Pair { key: child.key(), key_at: child.key_span(), value })
    };
    let mut pairs: Vec<Pair<'s>> = maps(node)?.into_iter().map(pair).collect::<Result<_>>()?;
    pairs.sort_by_key(|pair| pair.key);
    Ok(pairs)
}

fn labels<'s>(node: Node<'s>) -> Result<Labels<'s>> {
    let mut labels =
        Labels { pairs: Vec::new(), selectors: false, templates: false, claims: false };
    for field in maps(node)? {
        match field.key() {
            "pairs" => labels.pairs = pairs(field)?,
            "includeSelectors" => labels.selectors = flag(field)?,
            "includeTemplates" => labels.templates = flag(field)?,
            "includeVolumeClaimTemplates" => labels.claims = flag(field)?,
            "fields" if is_zero(field) => {}
            "fields" => {
                let what = "labels.fields".to_owned();
                return Err(Refused::Unsupported { at: field.span(), what });
            }
            _ => return Err(unknown(field)),
        }
    }
    Ok(labels)
}

fn image<'s>(node: Node<'s>) -> Result<Image<'s>> {
    let mut image =
        Image { at: node.span(), name: "", new_name: None, tag: None, suffix: None, digest: None };
    for field in maps(node)? {
        match field.key() {
            "name" => image.name = plain(field)?,
            "newName" => image.new_name = filled(field)?,
            "newTag" => image.tag = filled(field)?,
            "tagSuffix" => image.suffix = filled(field)?,
            "digest" => image.digest = filled(field)?,
            _ => return Err(unknown(field)),
        }
    }
    Ok(image)
}

fn replica<'s>(node: Node<'s>) -> Result<Replica<'s>> {
    let mut replica = Replica { at: node.span(), name: "", count: 0, count_at: node.span() };
    for field in maps(node)? {
        match field.key() {
            "name" => replica.name = plain(field)?,
            "count" => {
                let whole = matches!(field.value(), Value::Int(_) | Value::Null);
                if !whole {
                    return Err(wrong(field, "count", "a number"));
                }
                replica.count = field.as_int().unwrap_or(0);
                replica.count_at = field.span();
            }
            _ => return Err(unknown(field)),
        }
    }
    Ok(replica)
}

fn patch<'s>(node: Node<'s>) -> Result<Patch<'s>> {
    let mut patch = Patch { at: node.span(), path: None, inline: None, target: None };
    for field in maps(node)? {
        match field.key() {
            "path" => patch.path = filled(field)?,
            "patch" => patch.inline = text(field)?.filter(|text| !text.text.trim().is_empty()),
            "target" => patch.target = target(field)?,
            "options" if maps(field)?.is_empty() => {}
            "options" => {
                let what = "patches.options".to_owned();
                return Err(Refused::Unsupported { at: field.span(), what });
            }
            _ => return Err(unknown(field)),
        }
    }
    Ok(patch)
}

fn target<'s>(node: Node<'s>) -> Result<Option<Target<'s>>> {
    if node.is_null() {
        return Ok(None);
    }
    let mut target = Target::default();
    for field in maps(node)? {
        match field.key() {
            "group" => target.group = plain(field)?,
            "version" => target.version = plain(field)?,
            "kind" => target.kind = plain(field)?,
            "name" => target.name = plain(field)?,
            "namespace" => target.namespace = plain(field)?,
            "labelSelector" => target.labels = plain(field)?,
            "annotationSelector" => target.annotations = plain(field)?,
            _ => return Err(unknown(field)),
        }
    }
    Ok(Some(target))
}

fn options<'s>(node: Node<'s>) -> Result<Options<'s>> {
    let mut options = Options::default();
    for field in maps(node)? {
        match field.key() {
            "labels" => options.labels = pairs(field)?,
            "annotations" => options.annotations = pairs(field)?,
            "disableNameSuffixHash" => options.no_hash = flag(field)?,
            "immutable" => options.immutable = flag(field)?.then_some(field.span()),
            _ => return Err(unknown(field)),
        }
    }
    Ok(options)
}

fn generator<'s>(node: Node<'s>, secret: bool) -> Result<Generator<'s>> {
    let mut generator = Generator {
        at: node.span(),
        secret,
        name: Text { text: "", at: node.span() },
        namespace: None,
        behavior: "",
        kind: None,
        literals: Vec::new(),
        files: Vec::new(),
        envs: Vec::new(),
        options: Options::default(),
    };
    let mut env = None;
    for field in maps(node)? {
        match field.key() {
            "name" => generator.name = text(field)?.unwrap_or(generator.name),
            "namespace" => generator.namespace = filled(field)?,
            "behavior" => generator.behavior = plain(field)?,
            "type" if secret => generator.kind = filled(field)?,
            "literals" => generator.literals = texts(field)?,
            "files" => generator.files = texts(field)?,
            "envs" => generator.envs = texts(field)?,
            "env" => env = filled(field)?,
            "options" => generator.options = options(field)?,
            _ => return Err(unknown(field)),
        }
    }
    generator.envs.extend(env);
    if generator.name.text.is_empty() {
        return Err(wrong(node, "name", "there: a generator needs one"));
    }
    Ok(generator)
}
