//! From the program that writes JSON to those that write it in another form.
//!
//! In: a [`Program`] whose literals are JSON. Out: one that leaves out the members that are null, or one whose rows are
//! lines of comma-separated values. A program is taken apart by its literals, so that whoever makes a program of an
//! object makes all of them, and the usual one stays a few literals with cells between.

use super::row::{append, literal};
use crate::engine::{
    render::{ListPart, ListProgram, Member, Op, Program},
    request::Format,
};

/// The program in another form.
pub(super) fn shape(program: Program, format: Format) -> Program {
    match (format, program) {
        (Format::Json, program) => program,
        (Format::Stripped, Program::Row(ops)) => Program::Row(stripped(ops)),
        // The tag is of the state, in whatever form it is told.
        (format, Program::Tagged { row, whole }) => match shape(Program::Row(row.clone()), format) {
            Program::Row(shaped) => Program::Tagged { row: shaped, whole: whole.or(Some(row)) },
            program => program,
        },
        (Format::Stripped, Program::List(list)) => Program::List(each(list, stripped)),
        (Format::Csv, Program::List(list)) => Program::List(lines(list)),
        (Format::Csv, Program::Row(mut ops)) => Program::Row(match ops.as_mut_slice() {
            // A list that is counted is nested in a row of its own.
            [Op::Many { list, .. }] => {
                *list = lines(std::mem::replace(list, empty()));
                ops
            }
            _ => line(ops),
        }),
    }
}

fn empty() -> ListProgram {
    ListProgram::plain(Vec::new(), 0)
}

/// A list with its rows in another form.
fn each(mut list: ListProgram, form: fn(Vec<Op>) -> Vec<Op>) -> ListProgram {
    for part in &mut list.parts {
        if let ListPart::Rows(ops) = part {
            *ops = form(std::mem::take(ops));
        }
    }
    list
}

/// Values without the members that are null, on every level.
fn stripped(ops: Vec<Op>) -> Vec<Op> {
    if let Some(members) = members(&ops) {
        let strip = |Member { name, value }| Member { name, value: stripped(value) };
        return vec![Op::Stripped(members.into_iter().map(strip).collect())];
    }
    let strip = |op| match op {
        Op::One { presence, ops } => Op::One { presence, ops: stripped(ops) },
        Op::Many { rows, count, list } => Op::Many { rows, count, list: each(list, stripped) },
        Op::First { rows, list } => Op::First { rows, list: each(list, stripped) },
        op => op,
    };
    ops.into_iter().map(strip).collect()
}

/// A list as lines under a line of names.
fn lines(list: ListProgram) -> ListProgram {
    let rows = list.parts.iter().find_map(|part| match part {
        ListPart::Rows(ops) => members(ops),
        _ => None,
    });
    let Some(members) = rows else { return list };
    let parts = vec![ListPart::Literal(header(&members)), ListPart::Lines(fields(members))];
    ListProgram { parts, ..list }
}

/// A row as a line under a line of names.
fn line(ops: Vec<Op>) -> Vec<Op> {
    let Some(members) = members(&ops) else { return ops };
    let mut line = vec![Op::Literal(header(&members))];
    literal(&mut line, b"\n");
    append(&mut line, fields(members));
    line
}

fn header(members: &[Member]) -> Vec<u8> {
    let mut line = Vec::new();
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        let at = line.len();
        line.extend_from_slice(&member.name);
        crate::engine::csv::field_from(at, &mut line);
    }
    line
}

fn fields(members: Vec<Member>) -> Vec<Op> {
    let mut line = Vec::with_capacity(members.len() * 2);
    for (index, member) in members.into_iter().enumerate() {
        if index > 0 {
            literal(&mut line, b",");
        }
        line.push(Op::Field(member.value));
    }
    line
}

/// The members of an object; none for what is no object.
fn members(ops: &[Op]) -> Option<Vec<Member>> {
    let mut taken = Taken::default();
    for op in ops {
        match op {
            Op::Literal(bytes) => bytes.iter().try_for_each(|byte| taken.byte(*byte))?,
            op => taken.members.last_mut()?.value.push(op.clone()),
        }
    }
    (taken.depth == 0).then_some(taken.members)
}

/// What is read of an object so far.
#[derive(Default)]
struct Taken {
    members: Vec<Member>,
    depth: usize,
    /// Whether a member's name is being read.
    naming: bool,
    quoted: bool,
    escaped: bool,
}

impl Taken {
    /// Reads a byte of a literal; none if it is not of an object.
    fn byte(&mut self, byte: u8) -> Option<()> {
        if self.quoted {
            self.quoted = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return self.keep(byte);
        }
        match (byte, self.depth) {
            (b'{', 0) if self.members.is_empty() => (self.depth, self.naming) = (1, true),
            (_, 0) => return None,
            (b'}', 1) => self.depth = 0,
            (b',', 1) => self.naming = true,
            (b':', 1) if self.naming => self.naming = false,
            _ => {
                if self.naming {
                    self.members.push(Member { name: Vec::new(), value: Vec::new() });
                }
                match byte {
                    b'"' => self.quoted = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => self.depth -= 1,
                    _ => {}
                }
                return self.keep(byte);
            }
        }
        Some(())
    }

    fn keep(&mut self, byte: u8) -> Option<()> {
        let member = self.members.last_mut()?;
        if self.naming {
            member.name.push(byte);
        } else {
            literal(&mut member.value, &[byte]);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::scalar::{Scalar, Style};

    fn cell(index: usize) -> Op {
        Op::Cell { index, scalar: Scalar::Text, style: Style::Rest }
    }

    fn text(text: &str) -> Op {
        Op::Literal(text.as_bytes().to_vec())
    }

    #[test]
    fn an_object_is_taken_apart_whatever_its_names_are() {
        let object = [text(r#"{"a\",:{":"#), cell(0), text(r#","b":[{"x":1,"y":"},"}],"c":"#), cell(1), text("}")];
        let member = |name: &str, value| Member { name: name.as_bytes().to_vec(), value };
        assert_eq!(
            members(&object),
            Some(vec![
                member(r#""a\",:{""#, vec![cell(0)]),
                member(r#""b""#, vec![text(r#"[{"x":1,"y":"},"}]"#)]),
                member(r#""c""#, vec![cell(1)]),
            ])
        );
        assert_eq!(members(&[text("{}")]), Some(Vec::new()));
        assert_eq!(members(&[cell(0)]), None);
        assert_eq!(members(&[text("["), cell(0), text("]")]), None);
    }
}
