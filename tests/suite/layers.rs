//! The layers: which module may use which, as the table in `src/lib.rs` says.
//!
//! In: the sources, and that table, which is the one place where the layers are written down. Out: a failure for every
//! path that a module must not name, be it in a `use` line or in the middle of an expression.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each module may use, by the table: its layer's own modules only where the table does not forbid it.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_import_goes_the_way_of_the_layer_table() {
    let table = table();
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for (path, modules) in library() {
        let own = &modules[0];
        let may = table.get(own).unwrap_or_else(|| panic!("{own} is in no layer of the table in src/lib.rs"));
        for used in roots(&source(&path), modules.len()) {
            if !table.contains_key(&used) || used == *own {
                continue;
            }
            seen += 1;
            // Unit tests may take the declarations for their examples.
            let example = used == "entities" && modules.last().is_some_and(|last| last == "tests");
            if !may.contains(&used) && !example {
                wrong.insert(format!("{} uses {used}; {own} may use {may:?}", shown(&path)));
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were found: the sources are not read as they should be");
    assert!(wrong.is_empty(), "against the layer table of src/lib.rs:\n{}", lines(&wrong));
}

#[test]
fn the_table_has_every_module_once() {
    let declared: BTreeSet<String> = code(&source(&root().join("src/lib.rs")))
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned()))
        .collect();
    let listed: Vec<String> = rows().into_iter().flat_map(|row| row.modules).collect();
    assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "a module stands in two layers");
    assert_eq!(declared, listed.into_iter().collect());
}

/// What DESIGN and the crate's documentation promise in words, held to the table itself.
#[test]
fn the_table_keeps_its_promises() {
    let table = table();
    let may = |from: &str, to: &str| table[from].contains(to);
    assert!(!may("graphql", "rest") && !may("rest", "graphql"), "the protocols never use each other");
    for above in ["entities", "graphql", "rest", "auth", "http", "app", "seed"] {
        assert!(!may("engine", above), "the engine knows no {above}");
        assert!(!may("catalog", above), "the catalogue knows no {above}");
    }
    for module in table.keys() {
        assert!(!may(module, "app"), "{module} is wired by app, and does not know it");
    }
}

#[test]
fn every_module_says_what_it_is() {
    let mut silent = BTreeSet::new();
    let mut files = 0;
    for folder in ["src", "migration/src", "fuzz/src", "tests", "benches"] {
        for path in sources(&root().join(folder)) {
            files += 1;
            if !source(&path).starts_with("//! ") {
                silent.insert(shown(&path));
            }
        }
    }
    assert!(files > 80, "only {files} files were found");
    assert!(silent.is_empty(), "these do not begin with `//!`:\n{}", lines(&silent));
}

/// A map with streets that are gone misleads; one that is not there yet does not.
#[test]
fn every_place_that_the_architecture_names_is_there() {
    let Ok(text) = fs::read_to_string(root().join("ARCHITECTURE.md")) else { return };
    let named: BTreeSet<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/') && !name.contains([' ', '*', '{', '<', '…', ':']) && !name.starts_with('/'))
        .collect();
    assert!(!named.is_empty(), "ARCHITECTURE.md names no place");
    let missing: BTreeSet<_> = named
        .into_iter()
        .filter(|name| !root().join(name).exists() && !root().join("src").join(name).exists())
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there:\n{}", lines(&missing));
}

/// The tools below are only worth something if they see what they should.
#[test]
fn imports_are_seen_wherever_they_are_written() {
    let text = r##"
        //! crate::comment
        use crate::{config::{self, Config}, engine::plan, error as e};
        pub use super::super::rest::Rest;
        /* crate::block /* crate::nested */ */
        fn f<'a>(x: &'a crate::auth::Auth) -> char { g("crate::text", r#"crate::raw"#); '"' }
        mod tests { use super::*; use super::super::super::seed; fn g() -> crate::http::Router {} }
        pub(crate) fn h() {}
    "##;
    let found: BTreeSet<String> = roots(text, 2).into_iter().collect();
    let expected = ["auth", "config", "engine", "error", "http", "rest", "seed"];
    assert_eq!(found, expected.into_iter().map(str::to_owned).collect());
}

/// A row of the table.
struct Row {
    layer: String,
    modules: Vec<String>,
    may: String,
}

fn rows() -> Vec<Row> {
    let text = source(&root().join("src/lib.rs"));
    let rows: Vec<Row> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
        .filter_map(|line| {
            let mut cells = line.split(" | ");
            let (layer, modules, may) = (cells.next()?, cells.next()?, cells.next()?);
            (layer != "layer").then(|| Row { layer: layer.to_owned(), modules: named(modules), may: may.to_owned() })
        })
        .collect();
    assert!(rows.len() > 5, "src/lib.rs has no layer table");
    rows
}

/// The table as sets. Its words: a module's name, `all below`, `the` before a layer's name, and `nothing of ours`.
/// Whoever may use anything may use the leaves.
fn table() -> Table {
    let rows = rows();
    let leaves = rows.iter().find(|row| row.layer == "leaves").map(|row| row.modules.clone()).unwrap_or_default();
    let mut table = Table::new();
    for (index, row) in rows.iter().enumerate() {
        let mut may: BTreeSet<String> = named(&row.may).into_iter().collect();
        let below = || rows[index + 1..].iter().flat_map(|row| row.modules.clone());
        if row.may.contains("all below") {
            may.extend(below());
        }
        for other in rows.iter().filter(|other| row.may.contains(&format!("the {}", other.layer))) {
            may.extend(other.modules.clone());
        }
        let unknown: Vec<_> = may.iter().filter(|name| !rows.iter().any(|row| row.modules.contains(name))).collect();
        assert!(unknown.is_empty(), "the row {} names {unknown:?}, which no row is about", row.layer);
        assert!(row.layer == "leaves" || !may.is_empty(), "the row {} is not understood: {}", row.layer, row.may);
        may.extend(leaves.clone());
        table.extend(row.modules.iter().map(|module| (module.clone(), may.clone())));
    }
    table
}

/// The names in ``[`name`]``.
fn named(cell: &str) -> Vec<String> {
    cell.split("[`").skip(1).filter_map(|rest| Some(rest.split_once("`]")?.0.to_owned())).collect()
}

/// The files of the library, each with the path of its module. What is only the program's (`main`, `cli`) stands above
/// all layers, and lib.rs itself has no code.
fn library() -> Vec<(PathBuf, Vec<String>)> {
    let folder = root().join("src");
    let files = sources(&folder).into_iter().map(|path| {
        let inner = path.strip_prefix(&folder).expect("a file of src").with_extension("");
        let mut modules: Vec<String> = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        modules.retain(|part| part != "mod");
        (path, modules)
    });
    files.filter(|(_, modules)| !["main", "cli", "lib"].contains(&modules[0].as_str())).collect()
}

/// The modules at the root of the crate that a file names, which is itself `depth` modules deep.
fn roots(text: &str, depth: usize) -> Vec<String> {
    let code = code(text);
    let tokens = tokens(&code);
    let mut found = Vec::new();
    let (mut braces, mut inner): (usize, Vec<usize>) = (0, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        match token {
            "{" => {
                braces += 1;
                if at >= 2 && tokens[at - 2] == "mod" {
                    inner.push(braces);
                }
            }
            "}" => {
                if inner.last() == Some(&braces) {
                    inner.pop();
                }
                braces = braces.saturating_sub(1);
            }
            "crate" if tokens.get(at + 1) == Some(&"::") && (at == 0 || tokens[at - 1] != "::") => {
                found.extend(heads(&tokens[at + 2..]));
            }
            "super" if tokens.get(at + 1) == Some(&"::") && tokens.get(at.wrapping_sub(1)) != Some(&"::") => {
                let mut up = 0;
                while tokens.get(at) == Some(&"super") && tokens.get(at + 1) == Some(&"::") {
                    (up, at) = (up + 1, at + 2);
                }
                if up == depth + inner.len() {
                    found.extend(heads(&tokens[at..]));
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first segments of a path, or of each path of a group.
fn heads(tokens: &[&str]) -> Vec<String> {
    if tokens.first() != Some(&"{") {
        return tokens.first().map(|token| (*token).to_owned()).into_iter().collect();
    }
    let (mut depth, mut heads, mut first) = (0, Vec::new(), false);
    for token in tokens {
        match *token {
            "{" => (depth, first) = (depth + 1, true),
            "}" => depth -= 1,
            "," => first = true,
            name if depth == 1 && first => {
                heads.push(name.to_owned());
                first = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Words and signs; `::` is one sign.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The source without its comments and without the text of its literals.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest, code.chars().last()) {
            code.push('0');
            length
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let step = match text.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        (depth, at) = (depth + step.0, at + step.1);
        if depth == 0 {
            break;
        }
    }
    at
}

/// How long the literal is with which the text begins, if it begins with one.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let raw = text.trim_start_matches(['b', 'c']).strip_prefix('r').filter(|rest| rest.starts_with(['#', '"']));
    if let Some(rest) = raw.filter(|_| before.is_none_or(|c| !c.is_alphanumeric() && c != '_')) {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = text.len() - rest.len() + hashes + 1;
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
    }
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let mut inner = text.char_indices().skip(1);
    if quote == '\'' {
        // A lifetime has no second quote behind its first character.
        let (_, first) = inner.next()?;
        let second = text.chars().nth(2)?;
        if first != '\\' {
            return (second == '\'').then(|| 2 + first.len_utf8());
        }
        return text.get(3..)?.find('\'').map(|at| at + 4);
    }
    while let Some((at, character)) = inner.next() {
        match character {
            '\\' => drop(inner.next()),
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn lines<T: AsRef<str>>(all: &BTreeSet<T>) -> String {
    all.iter().map(|line| format!("  {}\n", line.as_ref())).collect()
}
