//! Writes: sequences of them by all callers and both protocols leave the database as they leave the model, and what is
//! refused is refused for the same reason and changes nothing.

use rootstock::engine::database::Dialect;
use serde_json::Value as Json;

use super::{
    act::{Act, Conflict, Given, actor},
    answer::object,
    apply::{Learned, Refusal, Told, read},
    ask::Ask,
    graphql::{Input, Writer, filter, value},
    random::Random,
    request::{Field, Filter},
    rest::pair,
    run::{Stage, difference, stage, told},
    schema::{TABLES, camel},
    value::{Kind, Value, string},
    view::View,
    world::{Row, World},
};
use crate::support::{Answer, Caller};

const STEPS: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_leave_the_same_state_on_sqlite() {
    sequence(stage(Dialect::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_leave_the_same_state_on_postgresql() {
    sequence(stage(Dialect::Postgres).await).await;
}

async fn sequence(stage: Stage) {
    let mut world = World::clone(&stage.world);
    let (mut done, mut refused) = (0, 0);
    for number in 0..told("ROOTSTOCK_CASES").unwrap_or(STEPS) {
        let outcome = step(&stage, &mut world, number).await;
        let wrote = outcome.unwrap_or_else(|wrong| {
            panic!("on {:?} with ROOTSTOCK_SEED={}\n\nstep {number}\n{wrong}", stage.server.dialect, stage.seed)
        });
        *if wrote { &mut done } else { &mut refused } += 1;
    }
    assert!(done > 9 && refused > 9, "{done} writes were carried out, and {refused} refused");
}

/// One step: a REST request, or a document of a few mutations. Whether it wrote.
async fn step(stage: &Stage, world: &mut World, number: u64) -> Result<bool, String> {
    let mut random = Random::of(stage.seed, 2_000_000 + number);
    let (caller, rest) = actor(&mut random);
    let count = if rest || random.chance(70) { 1 } else { 2 + random.below(2) };
    let mut ask = Ask { world, random: &mut random, rest };
    let acts: Vec<Act> = (0..count).map(|_| ask.act(caller)).collect();
    let answer =
        if rest { by_rest(stage, caller, &acts[0]).await } else { by_graphql(stage, caller, &acts, &mut random).await };
    let shown = format!("{caller:?} {acts:?}\n{}\n{} {:.2000}", answer.request, answer.status, answer.text);
    let body: Json = serde_json::from_str(&answer.text).unwrap_or_default();

    let mut next = world.clone();
    let mut expected = Vec::new();
    let incomplete = (!rest && !acts.iter().all(Act::complete)).then_some(Refusal::Input);
    let mut refusal = incomplete.or_else(|| acts.iter().find_map(|act| act.planned(caller).err()));
    // The values of all fields are looked at before any field is run.
    refusal = refusal.or_else(|| acts.iter().find_map(|act| act.admitted().err()));
    for (at, act) in acts.iter().enumerate() {
        if refusal.is_some() {
            break;
        }
        let rows = if rest { rows_of(&body) } else { rows_of(&body["data"][format!("m{at}")]) };
        let done = {
            let table = &TABLES[act.table()];
            let learned = |told: Told<'_>, column: usize| {
                let own = &table.columns[column];
                let name = if rest { own.name.to_owned() } else { camel(own.name) };
                let at = match told {
                    Told::At(at) => at,
                    Told::Key(key) => place(table.columns[0].kind, &rows, key)?,
                };
                read(&rows.get(at)?[name], own.kind)
            };
            next.apply(caller, act, &Learned { told: &learned, rest })
        };
        match done {
            Ok(mut done) => {
                // The rows of a filter come in no order that is said: in that of the answer, then.
                let kind = TABLES[act.table()].columns[0].kind;
                done.sort_by_cached_key(|row| place(kind, &rows, &row[0]));
                expected.push(done);
            }
            Err(reason) => refusal = Some(reason),
        }
    }
    let wrote = refusal.is_none();
    match refusal {
        Some(reason) => is_refused(&answer, reason, rest, &acts[0]).map_err(|wrong| format!("{wrong}\n{shown}"))?,
        None => {
            let told = if rest {
                told_by_rest(&acts[0], &expected[0])
            } else {
                told_by_graphql(&next, caller, &acts, &expected)
            };
            let answered = if told.is_some() { answer.text.as_str() } else { "" };
            let told = told.unwrap_or_default();
            if !(200..300).contains(&answer.status) || told != answered {
                return Err(format!("{shown}\n{}", difference(&told, &answer.text)));
            }
            *world = next;
        }
    }
    let tables: Vec<usize> =
        if number % 25 == 24 { (0..TABLES.len()).collect() } else { acts.iter().map(Act::table).collect() };
    for table in tables {
        state(stage, world, table).await.map_err(|wrong| format!("{shown}\n{wrong}"))?;
    }
    Ok(wrote)
}

/// Where in an answer the row with a key is.
fn place(kind: Kind, rows: &[Json], key: &Value) -> Option<usize> {
    let key = key.plain(kind);
    rows.iter().position(|row| row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned) == key)
}

/// The rows of an answer: one, several, or those of a result.
fn rows_of(body: &Json) -> Vec<Json> {
    match body {
        Json::Array(rows) => rows.clone(),
        Json::Object(members) => match members.get("nodes") {
            Some(Json::Array(rows)) => rows.clone(),
            _ => vec![body.clone()],
        },
        _ => Vec::new(),
    }
}

/// Holds the database to the model: what the admin sees of a table, which is nearly all of it.
async fn state(stage: &Stage, world: &World, table: usize) -> Result<(), String> {
    let answer = stage.server.get(Caller::Admin, &format!("/{}?order=id", TABLES[table].name)).await;
    let mut rows: Vec<&Row> = View { world, caller: Caller::Admin }.rows(table);
    rows.sort_by(|a, b| a[0].order(&b[0]));
    let rows: Vec<_> = rows.into_iter().map(|row| in_rest(table, row)).collect();
    let expected = format!("[{}]", rows.join(","));
    if answer.text == expected {
        Ok(())
    } else {
        Err(format!("{} is another: {}", TABLES[table].name, difference(&expected, &answer.text)))
    }
}

fn in_rest(table: usize, row: &Row) -> String {
    let columns = TABLES[table].columns.iter().zip(row);
    object(columns.map(|(column, value)| (column.name.to_owned(), value.json(column.kind, false))))
}

fn is_refused(answer: &Answer, reason: Refusal, rest: bool, act: &Act) -> Result<(), String> {
    let wrong = |expected: &str| Err(format!("it must be refused: {expected}"));
    if rest {
        let fits = match reason {
            Refusal::Unauthenticated => answer.status == 401,
            Refusal::Forbidden => answer.status == 403,
            Refusal::Input => matches!(answer.status, 400 | 422),
            Refusal::NotFound => answer.status == 404,
            // More rows than were allowed is PostgREST's 400.
            Refusal::Conflict if matches!(act, Act::UpdateWhere(..) | Act::DeleteWhere(..)) => {
                matches!(answer.status, 400 | 409)
            }
            Refusal::Conflict => answer.status == 409,
        };
        return if fits { Ok(()) } else { wrong(&format!("{reason:?}")) };
    }
    let code = match reason {
        Refusal::Unauthenticated => "UNAUTHENTICATED",
        Refusal::Forbidden => "FORBIDDEN",
        Refusal::Input => "BAD_USER_INPUT",
        Refusal::NotFound => "NOT_FOUND",
        Refusal::Conflict => "CONFLICT",
    };
    let found = answer.errors().first().map(|error| error["extensions"]["code"].clone());
    if found == Some(Json::from(code)) { Ok(()) } else { wrong(code) }
}

/// What REST tells of a write; none where it tells nothing.
fn told_by_rest(act: &Act, rows: &[Row]) -> Option<String> {
    let table = act.table();
    let all = || rows.iter().map(|row| in_rest(table, row)).collect::<Vec<_>>().join(",");
    match act {
        Act::Create(_, _, None) | Act::Update(..) | Act::Replace(..) => Some(in_rest(table, &rows[0])),
        Act::Create(..) | Act::CreateMany(..) | Act::Put(..) | Act::UpdateWhere(..) => Some(format!("[{}]", all())),
        Act::Delete(..) | Act::DeleteWhere(..) => None,
    }
}

fn fields(table: usize) -> Vec<(String, Field)> {
    (0..TABLES[table].columns.len()).map(|column| (TABLES[table].field(column), Field::Column(column))).collect()
}

/// What GraphQL tells of a document's writes.
fn told_by_graphql(world: &World, caller: Caller, acts: &[Act], done: &[Vec<Row>]) -> Option<String> {
    let view = View { world, caller };
    let members = acts.iter().zip(done).enumerate().map(|(at, (act, rows))| {
        let table = act.table();
        let told: Vec<_> = rows.iter().map(|row| view.row(table, row, &fields(table))).collect();
        let told = match act {
            Act::CreateMany(..) => format!("[{}]", told.join(",")),
            Act::UpdateWhere(..) | Act::DeleteWhere(..) => {
                format!("{{\"affected\":{},\"nodes\":[{}]}}", rows.len(), told.join(","))
            }
            _ => told[0].clone(),
        };
        (format!("m{at}"), told)
    });
    Some(format!("{{\"data\":{}}}", object(members)))
}

async fn by_graphql(stage: &Stage, caller: Caller, acts: &[Act], random: &mut Random) -> Answer {
    let mut writer = Writer::new(random);
    let fields: Vec<_> = acts.iter().enumerate().map(|(at, act)| mutation(&mut writer, at, act)).collect();
    let document = writer.finish("mutation", &fields);
    let body = format!(r#"{{"query":{},"variables":{}}}"#, Json::from(&*document.text), document.variables);
    stage.server.text(caller, "POST", "/graphql", "application/json", &body).await
}

/// A mutation field under the name `m` and its number.
fn mutation(writer: &mut Writer<'_>, at: usize, act: &Act) -> String {
    let of = &TABLES[act.table()];
    let (name, plural) = (of.type_name, format!("{}{}", of.many[..1].to_uppercase(), &of.many[1..]));
    let input = |given: &Given| {
        let members = given.iter().map(|(column, one)| (of.field(*column), value(one, of.columns[*column].kind)));
        Input::Object(members.collect())
    };
    let id = |key: &Value| Input::Token(string(&key.plain(of.columns[0].kind)));
    let conflict = |writer: &mut Writer<'_>, conflict: &Option<Conflict>| {
        conflict.as_ref().map_or_else(String::new, |conflict| {
            let mut members =
                vec![("action".to_owned(), Input::Name(if conflict.ignore { "IGNORE" } else { "UPDATE" }.to_owned()))];
            if let Some(update) = &conflict.update {
                let columns = update.iter().map(|column| Input::Name(of.columns[*column].name.to_uppercase()));
                members.push(("update".to_owned(), Input::List(columns.collect())));
            }
            format!(", onConflict: {}", writer.input(&Input::Object(members), &format!("{name}OnConflict")))
        })
    };
    let state = |writer: &mut Writer<'_>, state: &Option<Value>| {
        let told = state.as_ref().map(|state| writer.input(&value(state, Kind::Time), "DateTime"));
        told.map_or_else(String::new, |state| format!(", ifUpdatedAt: {state}"))
    };
    let selected = writer.fields(act.table(), &fields(act.table()));
    let result = format!("{{ affected nodes {selected} }}");
    match act {
        Act::Create(_, given, on) => {
            let input = writer.variable(&input(given), &format!("Create{name}Input!"));
            format!("m{at}: create{name}(input: {input}{}) {selected}", conflict(writer, on))
        }
        Act::CreateMany(_, rows, on) => {
            let input =
                writer.variable(&Input::List(rows.iter().map(input).collect()), &format!("[Create{name}Input!]!"));
            format!("m{at}: create{plural}(input: {input}{}) {selected}", conflict(writer, on))
        }
        Act::Update(_, key, given, at_state) => {
            let (key, set) =
                (writer.input(&id(key), "ID!"), writer.variable(&input(given), &format!("Update{name}Input!")));
            format!("m{at}: update{name}(id: {key}, set: {set}{}) {selected}", state(writer, at_state))
        }
        Act::Replace(..) | Act::Put(..) => panic!("{act:?} is no word of GraphQL"),
        Act::Delete(_, key, at_state) => {
            let key = writer.input(&id(key), "ID!");
            format!("m{at}: delete{name}(id: {key}{}) {selected}", state(writer, at_state))
        }
        Act::UpdateWhere(table, condition, given, most) => {
            let condition = writer.input(&filter(*table, condition), &format!("{name}Filter!"));
            let set = writer.variable(&input(given), &format!("Update{name}Input!"));
            format!("m{at}: update{plural}(filter: {condition}, set: {set}, atMost: {most}) {result}")
        }
        Act::DeleteWhere(table, condition, most) => {
            let condition = writer.input(&filter(*table, condition), &format!("{name}Filter!"));
            format!("m{at}: delete{plural}(filter: {condition}, atMost: {most}) {result}")
        }
    }
}

async fn by_rest(stage: &Stage, caller: Caller, act: &Act) -> Answer {
    let of = &TABLES[act.table()];
    let body = |given: &Given| {
        object(
            given
                .iter()
                .map(|(column, one)| (of.columns[*column].name.to_owned(), one.json(of.columns[*column].kind, false))),
        )
    };
    let item = |key: &Value| format!("/{}/{}", of.name, key.plain(of.columns[0].kind));
    let list = format!("/{}", of.name);
    let filtered = |filter: &Filter| {
        let pairs: Vec<_> = match filter {
            Filter::And(filters) => filters.iter().map(|one| pair(act.table(), one)).collect(),
            one => vec![pair(act.table(), one)],
        };
        format!("{list}?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    };
    let resolution = |conflict: &Option<Conflict>| match conflict {
        Some(conflict) if conflict.ignore => ", resolution=ignore-duplicates",
        Some(_) => ", resolution=merge-duplicates",
        None => "",
    };
    let (method, path, body, prefer) = match act {
        Act::Create(_, given, None) => ("POST", list, body(given), String::new()),
        Act::Create(_, given, on) => ("POST", list, body(given), format!("return=representation{}", resolution(on))),
        Act::CreateMany(_, rows, on) => {
            let rows: Vec<_> = rows.iter().map(body).collect();
            ("POST", list, format!("[{}]", rows.join(",")), format!("return=representation{}", resolution(on)))
        }
        Act::Update(_, key, given, _) => ("PATCH", item(key), body(given), String::new()),
        Act::Replace(_, key, given) => ("PUT", item(key), body(given), String::new()),
        Act::Put(_, key, given) => {
            let path = format!("{list}?id=eq.{}", key.plain(of.columns[0].kind));
            ("PUT", path, body(given), "return=representation".to_owned())
        }
        Act::Delete(_, key, _) => ("DELETE", item(key), String::new(), String::new()),
        Act::UpdateWhere(_, filter, given, most) => (
            "PATCH",
            filtered(filter),
            body(given),
            format!("return=representation, handling=strict, max-affected={most}"),
        ),
        Act::DeleteWhere(_, filter, most) => {
            ("DELETE", filtered(filter), String::new(), format!("handling=strict, max-affected={most}"))
        }
    };
    let mut request = stage.server.request(caller, method, &path);
    if !body.is_empty() {
        request = request.header("content-type", "application/json").body(body);
    }
    if !prefer.is_empty() {
        request = request.header("prefer", prefer);
    }
    stage.server.send(request).await
}
