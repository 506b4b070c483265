//! Who may do what, as a table that a reviewer reads: every resource, every action and every written column, for every
//! kind of caller.
//!
//! In: a catalogue. Out: the text of `policy.matrix`. Each cell is what the engine itself says of a real request in
//! that caller's name, so a policy that the engine forgot would stand here as what it is.

use std::fmt::Write as _;

use rootstock::{
    catalog::{
        Catalog, Column, Operator, Resource,
        policy::{Claim, Operand},
        scalar::Style,
    },
    engine::{
        authorize::{Authorized, Who, authorize},
        plan::{self, Bounds},
        principal::ANONYMOUS,
        query::{Predicate, Query},
        request::{Action, Columns, Create, Envelope, Field, Key, List, NewRow, Question, Request, Target},
    },
    entities::users::ROLES,
    error::{Error, Kind},
};

/// Where the matrix is kept.
pub(crate) const FILE: &str = "tests/suite/policy.matrix";

const HEAD: &str = "\
# Who may do what: what the engine says of each action, and of writing each column, to each kind of caller.
# `make schema` writes this file; its difference is read in review.
#
# yes            every row
# if …           the rows for which this holds; sub is the caller's user id
# no             refused: 401 without a token, 403 with one, 405 where nobody may
# -              set by the server, or by nobody: no input can name it

";

/// The kinds of callers: nobody, and one for each role.
pub(crate) fn callers() -> Vec<Who> {
    let nobody = Who { role: ANONYMOUS.to_owned(), authenticated: false };
    let roles = ROLES.iter().map(|role| Who { role: (*role).to_owned(), authenticated: true });
    std::iter::once(nobody).chain(roles).collect()
}

pub(crate) fn matrix(catalog: &Catalog) -> String {
    let callers = callers();
    let mut rows = vec![vec!["resource".to_owned(), "action".to_owned()]];
    rows[0].extend(callers.iter().map(|who| who.role.clone()));
    for resource in catalog.resources() {
        let mut row = |name: String, cell: &dyn Fn(&Who) -> String| {
            let head = [resource.name.clone(), name];
            rows.push(head.into_iter().chain(callers.iter().map(cell)).collect());
        };
        for (name, action) in actions(resource) {
            row(name.to_owned(), &|who| cell(catalog, resource, &action, who));
        }
        for column in &resource.columns {
            for (verb, columns) in
                [("create", names(plan::create_columns(resource))), ("update", names(plan::update_columns(resource)))]
            {
                row(format!("{verb}.{}", column.name), &|who| {
                    if !columns.contains(&column.name.as_str()) {
                        return "-".to_owned();
                    }
                    cell(catalog, resource, &writing(resource, verb, &column.name), who)
                });
            }
        }
        for hidden in &resource.policy.hidden {
            rows.push([&resource.name, hidden, "hidden from all"].map(str::to_owned).to_vec());
        }
    }
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|at| width(at).unwrap_or_default()).collect();
    let mut text = HEAD.to_owned();
    for row in &rows {
        let line = row.iter().zip(&widths).fold(String::new(), |mut line, (cell, width)| {
            let _ = write!(line, "{cell:width$}  ");
            line
        });
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn names<'c>(columns: impl Iterator<Item = &'c Column>) -> Vec<&'c str> {
    columns.map(|column| column.name.as_str()).collect()
}

/// The actions of a resource, each writing no more than it must.
pub(crate) fn actions(resource: &Resource) -> [(&'static str, Action); 4] {
    [
        ("read", Action::List(List::default())),
        ("create", writing(resource, "create", "")),
        ("update", Action::Update(Key::Slot(0).into(), Vec::new())),
        ("delete", Action::Delete(Key::Slot(0).into())),
    ]
}

/// A write that names `column` beside what a new row needs.
fn writing(resource: &Resource, verb: &str, column: &str) -> Action {
    if verb == "update" {
        return Action::Update(Key::Slot(0).into(), vec![(column.to_owned(), 1)]);
    }
    let named = plan::create_columns(resource).filter(|one| one.required() || one.name == column);
    let columns: Columns = named.enumerate().map(|(slot, one)| (one.name.clone(), slot)).collect();
    Action::Create(NewRow::from(columns).into())
}

fn cell(catalog: &Catalog, resource: &Resource, action: &Action, who: &Who) -> String {
    match ask(catalog, resource, action, who) {
        Ok(authorized) => match action {
            Action::List(_) => words(resource, authorized.visible()),
            _ => words(resource, authorized.permitted()),
        },
        Err(error) if matches!(error.kind, Kind::Unauthenticated | Kind::Forbidden) => "no".to_owned(),
        Err(error) => panic!("{action:?} of {}: {error}", resource.name),
    }
}

/// What the engine says of an action.
pub(crate) fn ask(
    catalog: &Catalog,
    resource: &Resource,
    action: &Action,
    who: &Who,
) -> Result<Authorized<Query>, Error> {
    let envelope = if matches!(action, Action::List(_)) { Envelope::Array } else { Envelope::Object };
    let select = resource.column_names().map(|name| Field::Column { alias: None, name: name.to_owned() }).collect();
    let request = Request { resource: resource.name.clone(), action: action.clone(), select };
    let bounds = Bounds { default_page: 1, max_page: 1 };
    authorize(
        catalog,
        plan::plan(
            catalog,
            &Question { request, envelope, form: rootstock::engine::request::Form::default() },
            Style::Rest,
            bounds,
        )?,
        who,
    )
}

fn words(resource: &Resource, predicate: &Predicate) -> String {
    match predicate {
        Predicate::Constant(true) => "yes".to_owned(),
        Predicate::Constant(false) => "no".to_owned(),
        other => format!("if {}", condition(resource, other)),
    }
}

fn condition(resource: &Resource, predicate: &Predicate) -> String {
    let all = |predicates: &[Predicate], word: &str| {
        let all: Vec<_> = predicates.iter().map(|one| condition(resource, one)).collect();
        format!("({})", all.join(word))
    };
    match predicate {
        Predicate::Constant(constant) => constant.to_string(),
        Predicate::And(predicates) => all(predicates, " and "),
        Predicate::Or(predicates) => all(predicates, " or "),
        Predicate::Not(one) => format!("not {}", condition(resource, one)),
        Predicate::Policy { column, comparison: Some((Operator::Eq, operand)) } => {
            let operand = match operand {
                Operand::Claim(Claim::Sub) => "sub".to_owned(),
                Operand::Claim(Claim::Role) => "role".to_owned(),
                Operand::Value(value) => format!("{value:?}"),
            };
            format!("{} = {operand}", resource.columns[*column].name)
        }
        other => format!("{other:?}"),
    }
}

/// A write of all rows that match may touch what a write of one may, and needs the same of the caller.
#[test]
fn a_write_of_many_rows_is_permitted_what_a_write_of_one_is() {
    let catalog = rootstock::entities::resources().build().expect("a catalogue");
    let matching = || Target::Matching { filter: None, at_most: 9, order: Vec::new() };
    let mut compared = 0;
    for resource in catalog.resources() {
        for who in callers() {
            let rows = |rows| Action::Create(Create { rows, many: true, conflict: None, order: Vec::new() });
            let Action::Create(one) = writing(resource, "create", "") else { panic!("a create") };
            for (one, many) in [
                (Action::Update(Key::Slot(0).into(), Vec::new()), Action::Update(matching(), Vec::new())),
                (Action::Delete(Key::Slot(0).into()), Action::Delete(matching())),
                (Action::Create(one.clone()), rows(one.rows)),
            ] {
                let said = |action| match ask(&catalog, resource, action, &who) {
                    Ok(authorized) => (None, Some(authorized.permitted().clone())),
                    Err(error) => (Some(error.kind), None),
                };
                assert_eq!(said(&one), said(&many), "{} {many:?} {who:?}", resource.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 20, "only {compared} were compared");
}
