//! Trusted documents: the only ones that run, where there are such.
//!
//! In: a file or a folder of documents, read once at the start. Out: each of them by its id and by its hash; or in one
//! line the file that is wrong, and what is wrong with it.

use super::persisted::{Hash, hash_of};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How deep folders are looked into.
const MAX_FOLDERS: usize = 16;

/// The trusted documents.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<Hash, Arc<str>>,
}

impl Trusted {
    /// The documents at `path`, each of which `check` has found to be one: a file of GraphQL, a manifest in JSON, or a
    /// folder of both, with the folders in it.
    ///
    /// # Errors
    /// What cannot be read, is no document, or has the id of another; and no document at all.
    pub(super) fn load(path: &Path, check: impl Fn(&str) -> Result<(), String>) -> Result<Self, String> {
        let mut files = Vec::new();
        collect(path, 0, &mut files)?;
        files.sort_unstable();
        let mut trusted = Self::default();
        let mut from: HashMap<String, PathBuf> = HashMap::new();
        for file in files {
            let fault = |fault: String| format!("{}: {fault}", file.display());
            let text = fs::read_to_string(&file).map_err(|error| fault(error.to_string()))?;
            for (id, text) in listed(&file, text).map_err(fault)? {
                check(&text).map_err(|wrong| fault(format!("the document {id:?} cannot be run: {wrong}")))?;
                if let Some(other) = from.insert(id.clone(), file.clone()) {
                    return Err(fault(format!("the id {id:?} is that of a document in {}", other.display())));
                }
                trusted.add(id, text);
            }
        }
        if trusted.by_id.is_empty() {
            return Err(format!("{}: there is no document", path.display()));
        }
        Ok(trusted)
    }

    fn add(&mut self, id: String, text: String) {
        let text: Arc<str> = text.into();
        // Clients hash what their tools print, with the final newline or without it.
        self.by_hash.insert(hash_of(&text), Arc::clone(&text));
        self.by_hash.insert(hash_of(trimmed(&text)), Arc::clone(&text));
        self.by_id.insert(id, text);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether this text is one of them.
    pub(super) fn has(&self, text: &str) -> bool {
        let text = trimmed(text);
        self.by_hash.get(&hash_of(text)).is_some_and(|known| trimmed(known) == text)
    }

    /// The one with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<Arc<str>> {
        self.by_id.get(id).cloned()
    }

    /// The one with this hash.
    pub(super) fn by_hash(&self, hash: &Hash) -> Option<Arc<str>> {
        self.by_hash.get(hash).cloned()
    }
}

/// A text without the newline at its end.
fn trimmed(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

/// The files of documents at `path`: itself, or those in the folder. What begins with a dot is somebody else's.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(fault)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // A folder is only followed where it is: a link could lead back.
        if entry.file_type().map_err(fault)?.is_dir() {
            if depth < MAX_FOLDERS {
                collect(&path, depth + 1, files)?;
            }
        } else if Format::of(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What a file holds, by its ending.
enum Format {
    /// One document.
    Document,
    /// Documents by their ids.
    Manifest,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "graphql" | "gql" => Some(Self::Document),
            "json" => Some(Self::Manifest),
            _ => None,
        }
    }
}

/// The documents of a file, with their ids.
fn listed(file: &Path, text: String) -> Result<Vec<(String, String)>, String> {
    match Format::of(file) {
        Some(Format::Document) => {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).ok_or("its name is not UTF-8")?;
            Ok(vec![(stem.to_owned(), text)])
        }
        Some(Format::Manifest) => {
            let manifest: Manifest =
                serde_json::from_str(&text).map_err(|error| format!("it is no manifest of documents ({error})"))?;
            Ok(match manifest {
                Manifest::Operations { operations } => {
                    operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
                }
                Manifest::Texts(Texts(texts)) => texts,
            })
        }
        None => Err("it ends in none of .graphql, .gql and .json".to_owned()),
    }
}

/// The two forms of manifests that clients' tools write.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "an object of ids and texts, or one with \"operations\", each of an \"id\" and a \"body\""
)]
enum Manifest {
    Operations { operations: Vec<Listed> },
    Texts(Texts),
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    body: String,
}

/// The members of an object, also those of one name.
struct Texts(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of ids and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = map.next_entry()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&str, &str)]) -> Result<Trusted, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let check = |text: &str| if text.contains("bad") { Err("it is bad".to_owned()) } else { Ok(()) };
        Trusted::load(folder.path(), check).map_err(|fault| fault.replace(folder.path().to_str().unwrap(), ""))
    }

    #[test]
    fn documents_are_found_by_id_and_by_hash() {
        let trusted = load(&[
            ("A.graphql", "{ a }\n"),
            ("deep/er/B.gql", "{ b }"),
            ("relay.json", r#"{"c0ffee": "{ c }"}"#),
            (
                "apollo.json",
                r#"{"format": "x", "version": 1, "operations": [{"id": "d", "name": "D", "body": "{ d }"}]}"#,
            ),
            (".hidden/E.graphql", "{ bad }"),
            ("README.md", "bad"),
        ])
        .unwrap();
        assert_eq!(trusted.len(), 4);
        for (id, text) in [("A", "{ a }\n"), ("B", "{ b }"), ("c0ffee", "{ c }"), ("d", "{ d }")] {
            assert_eq!(trusted.by_id(id).as_deref(), Some(text), "{id}");
            let bare = text.trim_end();
            for sent in [bare.to_owned(), format!("{bare}\n"), format!("{bare}\r\n")] {
                assert!(trusted.has(&sent), "{sent:?}");
            }
            assert_eq!(trusted.by_hash(&hash_of(bare)).as_deref(), Some(text));
        }
        for sent in ["", "{ e }", "{ a } ", " { a }", "{ a }\n\n", "{a}"] {
            assert!(!trusted.has(sent), "{sent:?}");
        }
        assert!(trusted.by_id("relay").is_none() && trusted.by_id("E").is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_file() {
        for (files, says) in [
            (&[][..], ": there is no document"),
            (&[("notes.txt", "x")], ": there is no document"),
            (&[("A.graphql", "bad")], "/A.graphql: the document \"A\" cannot be run: it is bad"),
            (
                &[("a/A.graphql", "{ a }"), ("b/A.gql", "{ b }")],
                "/b/A.gql: the id \"A\" is that of a document in /a/A.graphql",
            ),
            (
                &[("m.json", r#"{"a": "{ a }", "a": "{ b }"}"#)],
                "/m.json: the id \"a\" is that of a document in /m.json",
            ),
            (&[("m.json", r#"{"a": 1}"#)], "/m.json: it is no manifest of documents"),
            (&[("m.json", "[]")], "/m.json: it is no manifest of documents"),
            (&[("m.json", "{}")], ": there is no document"),
        ] {
            let fault = load(files).unwrap_err();
            assert!(fault.starts_with(says) && !fault.contains('\n'), "{fault}");
        }
        let nowhere = Trusted::load(Path::new("/nowhere/at/all"), |_| Ok(())).unwrap_err();
        assert!(nowhere.starts_with("/nowhere/at/all: "), "{nowhere}");
        let other = Trusted::load(Path::new("Cargo.toml"), |_| Ok(())).unwrap_err();
        assert!(other.starts_with("Cargo.toml: it ends in none of"), "{other}");
    }
}
