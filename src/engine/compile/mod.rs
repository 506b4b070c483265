//! From an authorized query to a plan: SQL with typed placeholders, and the program that writes its rows.
//!
//! In: [`Authorized`] queries alone. Out: a [`Plan`] for one dialect, which holds no value of any client and no claim of
//! any caller, so that it serves all of them. Identifiers come from the catalogue, values are always bound.

mod cast;
mod change;
mod expression;
mod form;
mod insert;
mod list;
mod once;
mod operator;
mod page;
mod predicate;
mod row;
mod select;
mod summary;
mod write;

pub use change::{ChangePlan, RowTarget, RowsTarget, TargetPlan};
pub use insert::{ConflictPlan, CreatePlan, Direct, RowPlan, TablePlan, TakenPlan};
pub use once::OnceStatements;
pub use page::{Ahead, HELD};
pub use write::{Constraints, From, Setting, WriteAction, WritePlan};

use super::{
    authorize::{Access, Authorized},
    database::Dialect,
    query::{Defects, KeySource, Predicate, Query, QueryAction, SlotKind, Target},
    render::Program,
    request::Form,
};
use crate::catalog::{
    Catalog, Fill,
    policy::{Claim, Operand},
    scalar::{Scalar, Style, Value},
};
use std::{fmt::Write as _, sync::Arc};

/// How a query runs on one database.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the client's values must be.
    pub slots: Vec<SlotKind>,
    /// What is wrong with the input whatever its values are: a plan that has some is never run.
    pub defects: Defects,
    /// The write, if it is one.
    pub write: Option<WritePlan>,
    /// The read; none where no row can be visible to the caller.
    pub read: Option<Statement>,
    /// How the rows of the read are written.
    pub program: Arc<Program>,
    /// What the planner of the database is asked, and from which exact number on; none where it is not asked.
    pub expected: Option<(Statement, u64)>,
    /// What is asked before a page is told that may be too long to be held.
    pub ahead: Option<Ahead>,
}

/// What a plan comes to at least.
const LEAST_SIZE: u64 = 512;
/// What it comes to beside its read for each value, of which a write has a text as well.
const VALUE_SIZE: u64 = 64;

impl Plan {
    /// How much there is to it, in bytes of SQL and of what writes the rows: the memory that it takes grows with that.
    pub fn size(&self) -> u64 {
        let read = self.read.as_ref().map_or(0, |read| read.sql.len());
        LEAST_SIZE + read as u64 + self.program.size() + VALUE_SIZE * self.slots.len() as u64
    }

    /// The one statement that adds a row and tells of it, if it is all that the plan needs.
    pub fn direct(&self) -> Option<(&CreatePlan, &Direct)> {
        match &self.write.as_ref()?.action {
            WriteAction::Create(create) => create.direct.as_ref().map(|direct| (&**create, direct)),
            WriteAction::Change(_) => None,
        }
    }
}

/// A statement and where its values come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: Arc<str>,
    /// A value for each placeholder.
    pub binds: Vec<Bind>,
}

/// Where the value of a placeholder comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// The client's value in this slot.
    Slot(usize),
    /// One of the values of the cursor in this slot.
    Position(usize, usize),
    /// The caller.
    Claim(Claim),
    /// The policy, or a column's default.
    Value(Value),
    /// What is made for the request.
    Fill(Fill),
    /// The key of the row that the write touched, or the list of the keys of the rows.
    Written,
}

/// Compiles a query for a database and a protocol.
pub fn compile(catalog: &Catalog, query: &Authorized<Query>, dialect: Dialect, style: Style) -> Plan {
    let program;
    let read = if query.access[query.resource].visible == Predicate::Constant(false) {
        program = Program::Row(Vec::new());
        None
    } else {
        let mut compiler = Compiler { form: query.form, ..Compiler::new(catalog, query, dialect, style) };
        let (mut sql, made) = compiler.root(query);
        // What is told of a row that is deleted is what it was when it was deleted.
        if matches!(query.action, QueryAction::Delete(Target::Row { .. })) && dialect == Dialect::Postgres {
            sql.push_str(" for update of t1");
        }
        program = form::shape(made, query.form.format);
        Some(compiler.finish(sql))
    };
    let write = write::compile(catalog, query, dialect, style);
    let expected = page::expected(catalog, query, dialect, style);
    let (slots, defects) = (query.slots.clone(), query.defects.clone());
    let ahead = page::ahead(catalog, query, dialect, style);
    Plan { slots, defects, write, read, program: Arc::new(program), expected, ahead }
}

/// Collects the placeholders of one statement.
struct Compiler<'c> {
    catalog: &'c Catalog,
    access: &'c [Access],
    dialect: Dialect,
    style: Style,
    /// What is told beside the rows of the list at the root.
    form: Form,
    binds: Vec<Bind>,
    aliases: usize,
    /// Whether the condition that is written stands under a `not`, where unknown and false differ.
    negated: bool,
}

impl<'c> Compiler<'c> {
    fn new<T>(catalog: &'c Catalog, authorized: &'c Authorized<T>, dialect: Dialect, style: Style) -> Self {
        let (access, form) = (authorized.access.as_slice(), Form::default());
        Self { catalog, access, dialect, style, form, binds: Vec::new(), aliases: 0, negated: false }
    }

    fn finish(self, sql: String) -> Statement {
        #[cfg(fuzzing)]
        super::fuzzing::judge(self.catalog, &sql, self.binds.len());
        Statement { sql: Arc::from(sql), binds: self.binds }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    /// A placeholder for a value of the type; equal ones share a number.
    fn bind(&mut self, bind: Bind, scalar: &Scalar) -> String {
        let number = self.number(bind);
        match self.dialect {
            // The cast tells the server how to read the text that is bound.
            Dialect::Postgres => format!("${number}::{}", scalar.postgres_type()),
            Dialect::Sqlite => format!("?{number}"),
        }
    }

    fn number(&mut self, bind: Bind) -> usize {
        if let Some(index) = self.binds.iter().position(|other| *other == bind) {
            return index + 1;
        }
        self.binds.push(bind);
        self.binds.len()
    }

    /// A placeholder for what a policy says.
    fn operand(&mut self, operand: &Operand, scalar: &Scalar) -> String {
        match operand {
            Operand::Claim(claim) => self.bind(Bind::Claim(*claim), scalar),
            Operand::Value(value) => self.bind(Bind::Value(value.clone()), scalar),
        }
    }

    fn key(&mut self, key: KeySource, scalar: &Scalar) -> String {
        let bind = match key {
            KeySource::Slot(slot) => Bind::Slot(slot),
            KeySource::Caller => Bind::Claim(Claim::Sub),
            KeySource::Written | KeySource::Each => Bind::Written,
        };
        self.bind(bind, scalar)
    }
}

/// A quoted identifier. It comes from the catalogue, and is quoted all the same.
fn identifier(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    // Writing into a String cannot fail.
    let _ = write!(quoted, "\"{}\"", name.replace('"', "\"\""));
    quoted
}
