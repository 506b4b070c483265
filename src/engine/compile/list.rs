//! How a list is framed: a plain array, or a Relay connection with its edges and page info.

use super::row::{append, literal};
use crate::{
    catalog::scalar::write_string,
    engine::{
        cursor::CursorProgram,
        query::Window,
        render::{ListPart, ListProgram, Op},
        request::{EdgeKind, Envelope, PageInfoKind, PartKind},
    },
};

/// The program of a list, whose selected fields are `rows`; `next` asks for the cursor of the page's last row beside it.
/// `fill` selects what a cursor needs, if one is asked for.
pub(super) fn connection(
    envelope: &Envelope,
    rows: Vec<Vec<Op>>,
    mut cursor: CursorProgram,
    window: &Window,
    next: bool,
    fill: impl FnOnce(&mut CursorProgram),
) -> ListProgram {
    if next || wants_cursor(envelope) {
        fill(&mut cursor);
    }
    let mut frame = Frame { parts: Vec::new(), rows };
    match envelope {
        Envelope::Groups(_) => frame.parts.push(ListPart::Beside(Op::Literal(Vec::new()))),
        Envelope::Object | Envelope::Array => {
            let ops = frame.object(0..frame.rows.len());
            frame.rows_of(ops);
        }
        Envelope::Connection(parts) => {
            frame.text(b"{");
            for (index, part) in parts.iter().enumerate() {
                frame.name(index, &part.alias);
                match &part.kind {
                    PartKind::Nodes(range) => {
                        let ops = frame.object(range.clone());
                        frame.rows_of(ops);
                    }
                    PartKind::Edges(edge) => {
                        let mut ops = Vec::new();
                        literal(&mut ops, b"{");
                        for (index, part) in edge.iter().enumerate() {
                            literal(&mut ops, &named(index, &part.alias));
                            match &part.kind {
                                EdgeKind::Node(range) => append(&mut ops, frame.object(range.clone())),
                                EdgeKind::Cursor => ops.push(Op::Cursor(cursor.clone())),
                                EdgeKind::TypeName(name) => literal(&mut ops, &string(name)),
                            }
                        }
                        literal(&mut ops, b"}");
                        frame.rows_of(ops);
                    }
                    PartKind::PageInfo(info) => {
                        frame.text(b"{");
                        for (index, part) in info.iter().enumerate() {
                            frame.name(index, &part.alias);
                            match &part.kind {
                                PageInfoKind::HasNextPage => frame.parts.push(ListPart::HasNextPage),
                                PageInfoKind::HasPreviousPage => frame.parts.push(ListPart::HasPreviousPage),
                                PageInfoKind::StartCursor => frame.parts.push(ListPart::StartCursor),
                                PageInfoKind::EndCursor => frame.parts.push(ListPart::EndCursor),
                                PageInfoKind::TypeName(name) => frame.text(&string(name)),
                            }
                        }
                        frame.text(b"}");
                    }
                    PartKind::TotalCount => frame.parts.push(ListPart::Count),
                    // What it is, is put there where the cells of the row around the list are known.
                    PartKind::Aggregate(_) | PartKind::Groups(_) => {
                        frame.parts.push(ListPart::Beside(Op::Literal(Vec::new())));
                    }
                    PartKind::Affected => frame.parts.push(ListPart::Length),
                    PartKind::TypeName(name) => frame.text(&string(name)),
                }
            }
            frame.text(b"}");
        }
    }
    let paged = frame.parts.iter().any(|part| matches!(part, ListPart::StartCursor | ListPart::EndCursor));
    ListProgram {
        parts: frame.parts,
        limit: window.limit,
        backward: window.backward,
        before: 0,
        begins_within: window.after.is_some() || window.offset.is_some(),
        ends_within: window.before.is_some(),
        next: next.then(|| cursor.clone()),
        cursor: paged.then_some(cursor),
    }
}

/// The program of a list of which one value a row is told.
pub(super) fn column_list(value: Vec<Op>, window: &Window) -> ListProgram {
    let parts = vec![ListPart::Literal(b"[".to_vec()), ListPart::Rows(value), ListPart::Literal(b"]".to_vec())];
    ListProgram::plain(parts, window.limit)
}

fn wants_cursor(envelope: &Envelope) -> bool {
    let Envelope::Connection(parts) = envelope else { return false };
    parts.iter().any(|part| match &part.kind {
        PartKind::Edges(edge) => edge.iter().any(|part| part.kind == EdgeKind::Cursor),
        PartKind::PageInfo(info) => {
            info.iter().any(|part| matches!(part.kind, PageInfoKind::StartCursor | PageInfoKind::EndCursor))
        }
        _ => false,
    })
}

struct Frame {
    parts: Vec<ListPart>,
    /// How each selected field of a row is written.
    rows: Vec<Vec<Op>>,
}

impl Frame {
    fn text(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            Some(ListPart::Literal(before)) => before.extend_from_slice(bytes),
            _ => self.parts.push(ListPart::Literal(bytes.to_vec())),
        }
    }

    fn name(&mut self, index: usize, name: &str) {
        self.text(&named(index, name));
    }

    fn object(&self, range: std::ops::Range<usize>) -> Vec<Op> {
        let mut ops = Vec::new();
        literal(&mut ops, b"{");
        for (index, field) in self.rows[range].iter().enumerate() {
            if index > 0 {
                literal(&mut ops, b",");
            }
            append(&mut ops, field.clone());
        }
        literal(&mut ops, b"}");
        ops
    }

    fn rows_of(&mut self, ops: Vec<Op>) {
        self.text(b"[");
        self.parts.push(ListPart::Rows(ops));
        self.text(b"]");
    }
}

/// A member's name, with the comma before it.
fn named(index: usize, name: &str) -> Vec<u8> {
    let mut bytes = if index > 0 { b",".to_vec() } else { Vec::new() };
    write_string(name, &mut bytes);
    bytes.push(b':');
    bytes
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut bytes);
    bytes
}
