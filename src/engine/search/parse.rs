//! The four syntaxes of a search.
//!
//! In: a query's text. Out: a [`Tree`], or what PostgreSQL says of a text that is no query.

use super::Tree;
use crate::catalog::Syntax;

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 50;
/// How far apart the words of a phrase may be.
const MAX_DISTANCE: u32 = 16_384;

/// The tree of a query.
pub(super) fn parse(syntax: Syntax, query: &str) -> Result<Tree, String> {
    match syntax {
        Syntax::Query => Parser { rest: query, whole: query, deepest: MAX_DEPTH }.query(),
        Syntax::Plain => {
            let words = super::words::plain(query).into_iter().map(|wanted| Tree::Word { wanted, never: false });
            Ok(Tree::all(words.collect(), Tree::And))
        }
        Syntax::Phrase => Ok(Tree::neighbours(query, false, false)),
        Syntax::Web => Ok(web(query)),
    }
}

/// A `tsquery` that [`Tree::tsquery`] has written.
pub(super) fn read_back(query: &str) -> Result<Tree, String> {
    // A word that is several is in parentheses of its own.
    Parser { rest: query, whole: query, deepest: MAX_DEPTH + 1 }.query()
}

/// Parses PostgreSQL's `tsquery`: `!` binds most, then `<->`, `&` and `|`.
struct Parser<'q> {
    rest: &'q str,
    whole: &'q str,
    deepest: usize,
}

impl Parser<'_> {
    fn query(mut self) -> Result<Tree, String> {
        self.skip();
        if self.rest.is_empty() {
            return Ok(Tree::Nothing);
        }
        let tree = self.any(0)?;
        if self.rest.is_empty() { Ok(tree) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> String {
        format!("syntax error in tsquery: \"{}\"", self.whole)
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a sign and what is between it and what follows.
    fn take(&mut self, sign: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn any(&mut self, depth: usize) -> Result<Tree, String> {
        let mut any = vec![self.every(depth)?];
        while self.take("|") {
            any.push(self.every(depth)?);
        }
        Ok(Tree::all(any, Tree::Or))
    }

    fn every(&mut self, depth: usize) -> Result<Tree, String> {
        let mut all = vec![self.phrase(depth)?];
        while self.take("&") {
            all.push(self.phrase(depth)?);
        }
        Ok(Tree::all(all, Tree::And))
    }

    fn phrase(&mut self, depth: usize) -> Result<Tree, String> {
        let mut left = self.one(depth)?;
        while let Some(distance) = self.distance()? {
            let right = self.one(depth)?;
            left = Tree::Phrase(Box::new(left), distance, Box::new(right));
        }
        Ok(left)
    }

    /// `<->` or `<3>`.
    fn distance(&mut self) -> Result<Option<u32>, String> {
        let Some((inside, rest)) = self.rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
            return Ok(None);
        };
        let distance = match inside {
            "-" => 1,
            digits if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().ok().filter(|distance| *distance <= MAX_DISTANCE).ok_or_else(|| {
                    format!(
                        "distance in phrase operator must be an integer value between zero and {MAX_DISTANCE} inclusive"
                    )
                })?
            }
            _ => return Ok(None),
        };
        self.rest = rest.trim_start();
        Ok(Some(distance))
    }

    fn one(&mut self, depth: usize) -> Result<Tree, String> {
        let mut negated = false;
        while self.take("!") {
            negated = !negated;
        }
        let tree = if self.take("(") {
            if depth == self.deepest {
                return Err(format!("a query is nested at most {MAX_DEPTH} parentheses deep"));
            }
            let tree = self.any(depth + 1)?;
            if !self.take(")") {
                return Err(self.wrong());
            }
            tree
        } else {
            self.operand()?
        };
        Ok(if negated { Tree::Not(Box::new(tree)) } else { tree })
    }

    /// A text, quoted or not, with `:*` and weights behind it.
    fn operand(&mut self) -> Result<Tree, String> {
        if self.rest.is_empty() {
            return Err(format!("no operand in tsquery: \"{}\"", self.whole));
        }
        let text = if self.rest.starts_with('\'') { self.quoted()? } else { self.unquoted()? };
        let (mut prefix, mut weights, mut default) = (false, false, false);
        if let Some(rest) = self.rest.strip_prefix(':') {
            let end = rest.find(|flag: char| !matches!(flag, '*' | 'a'..='d' | 'A'..='D')).unwrap_or(rest.len());
            if end == 0 {
                return Err(self.wrong());
            }
            for flag in rest[..end].chars() {
                prefix |= flag == '*';
                weights |= flag != '*';
                default |= matches!(flag, 'd' | 'D');
            }
            self.rest = &rest[end..];
        }
        self.skip();
        // The words of a column have the weight D, all of them.
        Ok(Tree::neighbours(&text, prefix, weights && !default))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' if characters.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                '\'' if text.is_empty() => break,
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => text.push(characters.next().ok_or_else(|| self.wrong())?.1),
                other => text.push(other),
            }
        }
        Err(self.wrong())
    }

    fn unquoted(&mut self) -> Result<String, String> {
        let (mut text, mut end) = (String::new(), self.rest.len());
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '!' | '&' | '|' | '(' | ')' | ':' | '<' => {
                    end = at;
                    break;
                }
                space if space.is_whitespace() => {
                    end = at;
                    break;
                }
                '\\' => text.push(characters.next().ok_or_else(|| self.wrong())?.1),
                other => text.push(other),
            }
        }
        self.rest = &self.rest[end..];
        if text.is_empty() { Err(self.wrong()) } else { Ok(text) }
    }
}

/// What search engines take. Every text means something.
fn web(query: &str) -> Tree {
    let (mut any, mut all, mut negated, mut rest) = (Vec::new(), Vec::new(), false, query);
    // Whether an operand came last, so that `or` is no word.
    let mut behind = false;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        if behind && let Some(after) = or(rest) {
            any.push(Tree::all(std::mem::take(&mut all), Tree::And));
            (rest, behind) = (after, false);
            continue;
        }
        let (text, after) = match first {
            '"' => rest[1..].split_once('"').unwrap_or((&rest[1..], "")),
            '-' => {
                negated = !negated;
                (rest, behind) = (&rest[1..], false);
                continue;
            }
            '!' | '&' | '|' | '(' | ')' | ':' => {
                rest = &rest[1..];
                continue;
            }
            _ => {
                let ends = |end: char| end.is_whitespace() || matches!(end, '!' | '&' | '|' | '(' | ')' | ':' | '"');
                rest.split_at(rest.find(ends).unwrap_or(rest.len()))
            }
        };
        let tree = Tree::neighbours(text, false, false);
        all.push(if std::mem::take(&mut negated) { Tree::Not(Box::new(tree)) } else { tree });
        (rest, behind) = (after, true);
    }
    any.push(Tree::all(all, Tree::And));
    Tree::all(any, Tree::Or)
}

/// What follows an `or` that has something behind it, and is no part of a word.
fn or(rest: &str) -> Option<&str> {
    let word = rest.get(..2).filter(|word| word.eq_ignore_ascii_case("or"))?;
    let after = &rest[word.len()..];
    let apart = !after.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '-' | '_'));
    (apart && !after.trim_start().is_empty()).then_some(after)
}
