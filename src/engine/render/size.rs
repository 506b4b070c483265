//! How large a program is, for those who keep it.
//!
//! In: a program. Out: about how many bytes it takes; what asks for it takes a few times as much.

use super::{ListPart, ListProgram, Op, Program};

/// What a step takes beside its bytes.
const STEP: u64 = 128;

impl Program {
    /// About how many bytes it takes.
    pub(in crate::engine) fn size(&self) -> u64 {
        match self {
            Self::Row(ops) => of_all(ops),
            Self::Tagged { row, whole } => of_all(row) + whole.as_deref().map_or(0, of_all),
            Self::List(list) => of_list(list),
        }
    }
}

fn of_all(ops: &[Op]) -> u64 {
    ops.iter().map(of_one).sum()
}

fn of_one(op: &Op) -> u64 {
    STEP + match op {
        Op::Literal(bytes) => bytes.len() as u64,
        Op::One { ops, .. } | Op::Field(ops) => of_all(ops),
        Op::Many { list, .. } | Op::First { list, .. } => of_list(list),
        Op::Stripped(members) => {
            members.iter().map(|member| STEP + member.name.len() as u64 + of_all(&member.value)).sum()
        }
        Op::Cell { .. } | Op::NodeId { .. } | Op::Cursor(_) => 0,
    }
}

fn of_list(list: &ListProgram) -> u64 {
    let part = |part: &ListPart| match part {
        ListPart::Literal(bytes) => STEP + bytes.len() as u64,
        ListPart::Rows(ops) | ListPart::Lines(ops) => STEP + of_all(ops),
        ListPart::Beside(op) => of_one(op),
        _ => STEP,
    };
    list.parts.iter().map(part).sum()
}
