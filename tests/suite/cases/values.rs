//! Values in `select` and `order`: paths into JSON, casts and what aggregates make of both, the same on both databases.

use super::ledger;
use crate::{
    graft,
    support::{Caller::*, Dialect, Server, on_both},
};
use rootstock::catalog::scalar::Cast;
use serde_json::{Value, json};

/// Runs a case on both databases with the grafted resource; what it gives must be the same on both.
async fn grafted<T: PartialEq + std::fmt::Debug>(case: impl AsyncFn(&Server) -> T) {
    eprintln!("on {:?}", Dialect::Sqlite);
    let sqlite = case(&graft::server(Dialect::Sqlite).await).await;
    eprintln!("on {:?}", Dialect::Postgres);
    let postgres = case(&graft::server(Dialect::Postgres).await).await;
    assert_eq!(sqlite, postgres, "SQLite on the left, PostgreSQL on the right");
}

/// A species with a value of each type.
const YEW: &str = r#"{ "name": "Yew", "population": 2147483648, "population_before": 7, "height": 2.5,
    "height_before": -0.1, "protected": true, "density": -1.5, "status": "least concern", "seen_on": "2024-02-29",
    "seen_at": "2026-11-21T08:00:00.5Z", "reference": "c56a4180-65aa-42ec-a945-5fd21dec0538",
    "traits": { "s": "x \u00e9", "n": 1.50, "t": true, "z": null, "big": 1e400, "o": { "a": [1, {"b": "deep"}] } },
    "notes": " 12 " }"#;

async fn plant(server: &Server, row: &str) {
    server.text(User, "POST", "/species", "application/json", row).await.expect(201);
}

async fn rows(server: &Server, query: &str) -> String {
    server.get(User, &format!("/species?{query}")).await.expect(200).text
}

#[tokio::test]
async fn a_leap_second_is_the_one_behind_it() {
    grafted(async |server| {
        plant(server, r#"{ "name": "Yew", "traits": 0, "seen_at": "2016-12-31T23:59:60.5Z" }"#).await;
        let told = "2017-01-01T00:00:00.500000Z";
        for query in ["select=seen_at", "select=seen_at::text", "select=seen_at&seen_at=eq.2016-12-31T23:59:60.5Z"] {
            assert_eq!(rows(server, query).await, format!(r#"[{{"seen_at":"{told}"}}]"#), "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_leads_to_json_or_to_a_text() {
    grafted(async |server| {
        plant(server, YEW).await;
        for (select, expected) in [
            // The name is the last of the path that is one.
            ("traits->s", r#"{"s":"x \u00e9"}"#),
            ("traits->>s", r#"{"s":"x é"}"#),
            ("traits->n", r#"{"n":1.50}"#),
            ("traits->>n", r#"{"n":"1.50"}"#),
            ("traits->t,traits->z,none:traits->nowhere->x", r#"{"t":true,"z":null,"none":null}"#),
            ("traits->>t,traits->>z,none:traits->>nowhere", r#"{"t":"true","z":null,"none":null}"#),
            ("traits->o->a->0", r#"{"a":1}"#),
            ("traits->o->a->>1", r#"{"a":"{\"b\": \"deep\"}"}"#),
            ("traits->o->a->1->>b", r#"{"b":"deep"}"#),
            ("deep:traits->o->a", r#"{"deep":[1,{"b":"deep"}]}"#),
            ("traits->0", r#"{"traits":null}"#),
            ("notes", r#"{"notes":" 12 "}"#),
        ] {
            assert_eq!(rows(server, &format!("select={select}")).await, format!("[{expected}]"), "{select}");
        }
        // And in a row of another.
        let child = r#"{ "name": "Child", "traits": { "a b": 1 }, "parent_id": "ID" }"#;
        let id = server.get(User, "/species?select=id").await.json()[0]["id"].as_str().unwrap().to_owned();
        plant(server, &child.replace("ID", &id)).await;
        for (select, expected) in [
            ("children(traits->>a b,population::text)", r#"{"children":[{"a b":"1","population":"0"}]}"#),
            ("children(v:traits->a b::int)", r#"{"children":[{"v":1}]}"#),
        ] {
            assert_eq!(rows(server, &format!("select={select}&id=eq.{id}")).await, format!("[{expected}]"), "{select}");
        }
        for (select, expected) in [
            ("parent(traits->s,height::int)", r#"{"parent":{"s":"x \u00e9","height":2}}"#),
            ("...parent(traits->>s,height::text)", r#"{"s":"x é","height":"2.5"}"#),
        ] {
            assert_eq!(
                rows(server, &format!("select={select}&name=eq.Child")).await,
                format!("[{expected}]"),
                "{select}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn rows_are_ordered_by_what_a_path_leads_to() {
    grafted(async |server| {
        for (name, value) in [
            ("a", "10"),
            ("b", "9.5"),
            ("c", r#""b""#),
            ("d", r#""a""#),
            ("e", "true"),
            ("f", "null"),
            ("g", "[1]"),
            ("h", r#"{"x": 1}"#),
            ("i", "-1e3"),
            ("j", r#""Z""#),
        ] {
            plant(server, &format!(r#"{{ "name": "{name}", "traits": {{ "v": {value} }} }}"#)).await;
        }
        let names = async |order: &str| {
            let list = server.get(User, &format!("/species?select=name&order={order}")).await.expect(200).json();
            let names = list.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
            names.collect::<String>()
        };
        for (order, expected) in [
            ("traits->v", "jdcibaeghf"),
            ("traits->v.desc", "fhgeabicdj"),
            ("traits->v.nullsfirst", "fjdcibaegh"),
            ("traits->>v", "iabjgdcehf"),
            ("traits->>v.desc.nullslast,name", "hecdgjbaif"),
            ("traits->nowhere,name.desc", "jihgfedcba"),
        ] {
            assert_eq!(names(order).await, expected, "{order}");
        }
        server.get(User, "/species?order=name->a").await.misunderstood("42883");
        server.get(User, "/species?order=traits->>a->b").await.expect(400).refused("PGRST100");
    })
    .await;
}

#[tokio::test]
async fn values_are_cast() {
    grafted(async |server| {
        plant(server, YEW).await;
        for (select, expected) in [
            ("population::text,height::text,density::text,protected::text", r#"{"population":"2147483648","height":"2.5","density":"-1.500000","protected":"true"}"#),
            ("seen_on::text,seen_at::text,reference::text,status::text", r#"{"seen_on":"2024-02-29","seen_at":"2026-11-21T08:00:00.500000Z","reference":"c56a4180-65aa-42ec-a945-5fd21dec0538","status":"least concern"}"#),
            // Half to even of a binary number, half away from zero of a decimal.
            ("height::int,density::int", r#"{"height":2,"density":-2}"#),
            ("height::numeric,height_before::numeric,density::numeric", r#"{"height":2.5,"height_before":-0.1,"density":-1.500000}"#),
            ("density::float8,height_before::real,population::float", r#"{"density":-1.5,"height_before":-0.1,"population":2147483648.0}"#),
            ("population::numeric,population::bigint,population_before::smallint", r#"{"population":2147483648,"population":2147483648,"population_before":7}"#),
            ("protected::int,protected::bool,confirmed::text,rank::bool", r#"{"protected":1,"protected":true,"confirmed":null,"rank":null}"#),
            ("seen_on::timestamptz,seen_at::date", r#"{"seen_on":"2024-02-29T00:00:00.000000Z","seen_at":"2026-11-21"}"#),
            ("n:traits->n::int,f:traits->n::float8,d:traits->n::numeric,t:traits->n::text", r#"{"n":2,"f":1.5,"d":1.5,"t":"1.50"}"#),
            ("traits->t::bool,traits->z::int,s:traits->s::text,traits->o::jsonb", r#"{"t":true,"z":null,"s":"\"x \\u00e9\"","o":{"a":[1,{"b":"deep"}]}}"#),
            ("notes::text,t:traits->>n::float8,a:name::varchar", r#"{"notes":"\" 12 \"","t":1.5,"a":"Yew"}"#),
        ] {
            assert_eq!(rows(server, &format!("select={select}")).await, format!("[{expected}]"), "{select}");
        }
        for (select, code) in [
            ("population::int", "22003"),
            ("population::smallint", "22003"),
            ("name::int", "22P02"),
            ("name::date", "22007"),
            ("traits->s::int", "22023"),
            ("traits->n::bool", "22023"),
            ("traits->big::int", "22003"),
            ("traits->big::float8", "22003"),
            ("reference::int", "42846"),
            ("protected::bigint", "42846"),
            ("population::bool", "42846"),
            ("height::json", "42846"),
            ("density::date", "42846"),
            ("seen_on::uuid", "42846"),
            ("status::int", "42846"),
            ("population::money", "42704"),
            ("population::", "PGRST100"),
            ("colour::text", "42703"),
            ("name->a::text", "42883"),
        ] {
            server.get(User, &format!("/species?select={select}")).await.misunderstood(code);
        }
        // No cast in a filter, and none of a column that is hidden.
        server.get(User, "/species?population::text=eq.1").await.expect(400).refused("42703");
        server.get(User, "/species?select=secret::text").await.expect(400).refused("42703");
        let impossible = server.get(User, "/species?select=reference::int4").await;
        assert_eq!(impossible.failure().message, "cannot cast type uuid to integer");
        let unknown = server.get(User, "/species?select=name::integr").await;
        assert_eq!(unknown.failure().message, "type \"integr\" does not exist");
        unknown.saying("integer");
    })
    .await;
}

/// A text, a type, and what it is as that type; or the error.
#[rustfmt::skip]
const TEXTS: [(&str, &str, Result<&str, &str>); 88] = [
    ("12", "int", Ok("12")),
    (" -12 ", "int", Ok("-12")),
    ("+7", "int8", Ok("7")),
    ("2147483647", "int", Ok("2147483647")),
    ("2147483648", "int", Err("22003")),
    ("-32769", "int2", Err("22003")),
    ("9223372036854775807", "bigint", Ok("9223372036854775807")),
    ("9223372036854775808", "bigint", Err("22003")),
    ("99999999999999999999999999999999999999999999", "bigint", Err("22003")),
    ("", "int", Err("22P02")),
    ("1.0", "int", Err("22P02")),
    ("1e3", "int", Err("22P02")),
    ("0x1f", "int", Err("22P02")),
    ("1_000", "int", Err("22P02")),
    ("--1", "int", Err("22P02")),
    ("x", "int", Err("22P02")),
    ("1.5", "float8", Ok("1.5")),
    (" .5 ", "float8", Ok("0.5")),
    ("5.", "float8", Ok("5.0")),
    ("-0", "float8", Ok("0.0")),
    ("1e21", "float8", Ok("1e+21")),
    ("1e400", "float8", Err("22003")),
    ("1e-400", "float8", Err("22003")),
    ("0e400", "float8", Ok("0.0")),
    ("1e1000", "float8", Err("22P02")),
    ("NaN", "float8", Err("22P02")),
    ("Infinity", "float8", Err("22P02")),
    ("1e", "float8", Err("22P02")),
    (".", "float8", Err("22P02")),
    ("0.1", "real", Ok("0.1")),
    ("1e39", "real", Err("22003")),
    ("1e-60", "real", Err("22003")),
    ("16777217", "real", Ok("16777216.0")),
    ("12.5", "numeric", Ok("12.5")),
    ("12.50", "numeric", Ok("12.5")),
    ("-0.0000005", "numeric", Ok("-0.000001")),
    ("0.00000049", "numeric", Ok("0")),
    ("1234567890123.123456", "numeric", Ok("1234567890123.123456")),
    ("1e13", "numeric", Err("22003")),
    ("1e-7", "numeric", Ok("0")),
    ("1e300", "numeric", Err("22003")),
    ("1e-300", "numeric", Ok("0")),
    ("abc", "numeric", Err("22P02")),
    ("true", "bool", Ok("true")),
    (" T ", "bool", Ok("true")),
    ("yE", "bool", Ok("true")),
    ("on", "bool", Ok("true")),
    ("1", "bool", Ok("true")),
    ("of", "bool", Ok("false")),
    ("no", "bool", Ok("false")),
    ("0", "bool", Ok("false")),
    ("o", "bool", Err("22P02")),
    ("", "bool", Err("22P02")),
    ("truth", "bool", Err("22P02")),
    ("C56A4180-65AA-42EC-A945-5FD21DEC0538", "uuid", Ok(r#""c56a4180-65aa-42ec-a945-5fd21dec0538""#)),
    ("{c56a418065aa42eca9455fd21dec0538}", "uuid", Ok(r#""c56a4180-65aa-42ec-a945-5fd21dec0538""#)),
    ("c56a-4180-65aa-42ec-a945-5fd2-1dec-0538", "uuid", Ok(r#""c56a4180-65aa-42ec-a945-5fd21dec0538""#)),
    ("c56a4180-65aa-42ec-a945-5fd21dec053", "uuid", Err("22P02")),
    ("c56a4180-65aa-42ec-a945-5fd21dec0538-", "uuid", Err("22P02")),
    ("c56a41-8065aa-42ec-a945-5fd21dec0538", "uuid", Err("22P02")),
    ("{c56a4180-65aa-42ec-a945-5fd21dec0538", "uuid", Err("22P02")),
    ("c56a4180-65aa-42ec-a945-5fd21dec053é", "uuid", Err("22P02")),
    ("2024-02-29", "date", Ok(r#""2024-02-29""#)),
    ("2023-02-29", "date", Err("22008")),
    ("2023-13-01", "date", Err("22008")),
    ("0000-01-01", "date", Err("22008")),
    ("today", "date", Err("22007")),
    ("20240229", "date", Err("22007")),
    ("Feb 29 2024", "date", Err("22007")),
    ("2024-02-29é", "date", Err("22007")),
    ("", "date", Err("22007")),
    ("2024-02-29", "timestamptz", Ok(r#""2024-02-29T00:00:00.000000Z""#)),
    ("2024-02-29T12:30:00Z", "timestamptz", Ok(r#""2024-02-29T12:30:00.000000Z""#)),
    ("2024-02-29 12:30", "timestamptz", Ok(r#""2024-02-29T12:30:00.000000Z""#)),
    ("2024-02-29T12:30:00.123456+02:00", "timestamptz", Ok(r#""2024-02-29T10:30:00.123456Z""#)),
    ("2024-02-29T12:30:00.5-00:30", "timestamptz", Ok(r#""2024-02-29T13:00:00.500000Z""#)),
    ("2024-02-29T25:00:00Z", "timestamptz", Err("22007")),
    ("2024-02-29T12:30:60Z", "timestamptz", Err("22007")),
    ("2024-02-30T12:30:00Z", "timestamptz", Err("22008")),
    ("2024-02-29T12:30:00.1234567Z", "timestamptz", Err("22007")),
    ("now", "timestamptz", Err("22007")),
    ("infinity", "timestamptz", Err("22007")),
    (r#"{"a": [1, null]}"#, "json", Ok(r#"{"a":[1,null]}"#)),
    (" 1.50 ", "jsonb", Ok("1.50")),
    ("null", "json", Ok("null")),
    ("{a: 1}", "json", Err("22P02")),
    ("", "json", Err("22P02")),
    ("Ünïcode", "text", Ok(r#""Ünïcode""#)),
];

/// Every text is a column's value once, and once one inside of JSON, since a name has no text that is empty.
#[tokio::test]
async fn texts_are_read_as_values_of_a_type() {
    grafted(async |server| {
        for (number, (text, to, expected)) in TEXTS.iter().enumerate() {
            let row = json!({ "name": format!("n{number}"), "traits": { "v": text } });
            plant(server, &row.to_string()).await;
            let answer = server.get(User, &format!("/species?select=traits->>v::{to}&name=eq.n{number}")).await;
            match expected {
                Ok(value) => assert_eq!(answer.expect(200).text, format!(r#"[{{"v":{value}}}]"#), "{text:?}::{to}"),
                Err(code) => drop(answer.expect(400).refused(code)),
            }
        }
    })
    .await;
}

/// A value of JSON, a type, and what it is as that type; or the error.
#[rustfmt::skip]
const JSON: [(&str, &str, Result<&str, &str>); 30] = [
    ("2.5", "int", Ok("3")),
    ("-2.5", "int", Ok("-3")),
    ("2147483647.4", "int", Ok("2147483647")),
    ("2147483647.5", "int", Err("22003")),
    ("1E5", "int", Ok("100000")),
    ("1E5", "text", Ok(r#""1E5""#)),
    ("1e-7", "int2", Ok("0")),
    ("9223372036854775807.4", "bigint", Ok("9223372036854775807")),
    ("9223372036854775808", "bigint", Err("22003")),
    ("9007199254740993", "float8", Ok("9007199254740992.0")),
    ("-0.0", "float8", Ok("0.0")),
    ("1.8e308", "float8", Err("22003")),
    ("1e-324", "float8", Err("22003")),
    ("3.4028236e38", "real", Err("22003")),
    ("0.1", "real", Ok("0.1")),
    ("0.0000015", "numeric", Ok("0.000002")),
    ("999999999999.25", "numeric", Ok("999999999999.25")),
    ("1e19", "numeric", Err("22003")),
    ("1e-20000", "int", Err("22003")),
    ("1e200000", "bool", Err("22003")),
    ("1e99999999999", "int", Err("22003")),
    ("0e99999", "int", Ok("0")),
    ("1", "bool", Err("22023")),
    ("true", "bool", Ok("true")),
    ("true", "int", Err("22023")),
    ("null", "int", Ok("null")),
    ("null", "text", Ok("null")),
    (r#""1""#, "int", Err("22023")),
    ("[1]", "float8", Err("22023")),
    ("{}", "json", Ok("{}")),
];

#[tokio::test]
async fn json_is_read_as_values_of_a_type() {
    grafted(async |server| {
        for (number, (json, to, expected)) in JSON.iter().enumerate() {
            plant(server, &format!(r#"{{ "name": "n{number}", "traits": {{ "v": {json} }} }}"#)).await;
            let answer = server.get(User, &format!("/species?select=traits->v::{to}&name=eq.n{number}")).await;
            match expected {
                Ok(value) => assert_eq!(answer.expect(200).text, format!(r#"[{{"v":{value}}}]"#), "{json}::{to}"),
                Err(code) => drop(answer.expect(400).refused(code)),
            }
        }
    })
    .await;
}

/// Every cast of every column of rows at the edges of every type, before and after every aggregate.
#[tokio::test]
async fn every_cast_of_every_column_is_the_same_on_both_databases() {
    grafted(async |server| {
        graft::plant(server).await;
        plant(server, YEW).await;
        plant(server, r#"{ "name": "12", "traits": 12.5, "notes": true }"#).await;
        let columns: Vec<_> = {
            let catalog = server.app.engine.catalog();
            let species = catalog.at(catalog.find("species").expect("the resource"));
            species.columns.iter().map(|column| (column.name.clone(), column.scalar.clone())).collect()
        };
        // Each type by the first of its names.
        let mut types: Vec<&str> = Cast::names().collect();
        types.sort_by_key(|name| Cast::named(name).map(Cast::name));
        types.dedup_by_key(|name| Cast::named(name).map(Cast::name));
        let mut told = Vec::new();
        let mut given = 0;
        for (column, scalar) in columns.iter().filter(|(name, _)| !name.ends_with("id")) {
            for name in &types {
                let possible = Cast::named(name).and_then(|cast| cast.result(scalar)).is_some();
                for row in ["Oak*", "Ash", "Elm", "Yew", "12"] {
                    let path = format!("/species?select=v:{column}::{name}&name=like.{row}");
                    let answer = server.get(User, &path).await;
                    assert_ne!(answer.status, 500, "{path}: {}", answer.text);
                    if !possible {
                        answer.clone().expect(400).refused("42846");
                    }
                    given += u32::from(answer.status == 200);
                    told.push((path, answer.status, answer.text));
                }
                for function in ["count", "sum", "avg", "min", "max"] {
                    for value in [format!("{column}::{name}.{function}()"), format!("{column}.{function}()::{name}")] {
                        let path = format!("/species?select=v:{value}&name=in.(Elm,Yew)");
                        let answer = server.get(User, &path).await;
                        assert_ne!(answer.status, 500, "{path}: {}", answer.text);
                        given += u32::from(answer.status == 200);
                        told.push((path, answer.status, answer.text));
                    }
                }
            }
        }
        assert!(given > 300, "only {given} casts were possible");
        told
    })
    .await;
}

#[tokio::test]
async fn aggregates_take_and_give_values_of_other_types() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, expected) in [
            ("select=amount.sum()::text,n:count()::text&currency=eq.USD", r#"[{"sum":"2598.26","n":"8"}]"#),
            ("select=amount::int.sum(),f:amount.sum()::float8&currency=eq.EUR", r#"[{"sum":43,"f":42.58}]"#),
            ("select=amount::float8.avg(),m:amount.avg()::text&currency=eq.EUR", r#"[{"avg":21.29,"m":"21.29"}]"#),
            (
                "select=amount::text.max(),spent_on::text.min(),created_at::date.count()&currency=eq.EUR",
                r#"[{"max":"45.58","min":"2024-02-29","count":2}]"#,
            ),
            (
                "select=created_at::date,count()",
                r#"[{"created_at":"2026-03-01","count":8},{"created_at":"2026-03-02","count":4}]"#,
            ),
            ("select=d:created_at::date,n:count()&order=currency", "42P"),
            ("select=currency,c:currency::text,count()&limit=1", r#"[{"currency":"CHF","c":"CHF","count":1}]"#),
            // Equal members are told once; different ones need different names.
            ("select=currency,currency,count()&limit=1", r#"[{"currency":"CHF","count":1}]"#),
            ("select=sum:amount.sum(),total:amount.sum()::text&title=eq.a", r#"[{"sum":0.10,"total":"0.10"}]"#),
        ] {
            let answer = server.get(User, &format!("/expenses?{query}")).await;
            if expected.starts_with('[') {
                assert_eq!(answer.expect(200).text, expected, "{query}");
            } else {
                answer.expect(400).saying("Groups cannot be ordered");
            }
        }
        for (query, code) in [
            ("select=amount.sum(),amount::int.sum()", "42701"),
            ("select=currency,currency:category,count()", "42701"),
            ("select=amount.sum()::uuid", "42846"),
            ("select=title::text.sum()", "42883"),
            ("select=amount.sum()::money", "42704"),
            ("select=title::int.sum()", "22P02"),
            ("select=*,count()", "22P02"),
            ("select=amount.median()", "PGRST100"),
        ] {
            server.get(User, &format!("/expenses?{query}")).await.misunderstood(code);
        }
        server.get(User, "/expenses?select=amount.sum(),spent_on.max(),amount.max()").await.expect(400).saying("max()");
    })
    .await;
}

#[tokio::test]
async fn json_is_grouped_by_and_summed_up() {
    grafted(async |server| {
        for (name, traits) in [
            ("a", r#"{"k": "x", "n": 1, "l": [1]}"#),
            ("b", r#"{"k": "x", "n": 2.5, "l": [1]}"#),
            ("c", r#"{"k": "y", "n": -1}"#),
            ("d", r#"{"k": null}"#),
            ("e", "[]"),
            ("f", r#"{"k": 7}"#),
        ] {
            plant(server, &format!(r#"{{ "name": "{name}", "traits": {traits} }}"#)).await;
        }
        for (query, expected) in [
            (
                "select=traits->>k,count(),n:traits->n::numeric.sum()",
                r#"[{"k":"7","count":1,"n":null},{"k":"x","count":2,"n":3.5},{"k":"y","count":1,"n":-1},{"k":null,"count":2,"n":null}]"#,
            ),
            (
                "select=traits->k,count()&order=traits->k.desc.nullslast&limit=2",
                r#"[{"k":7,"count":1},{"k":"y","count":1}]"#,
            ),
            ("select=traits->l,count()&order=traits->>l", r#"[{"l":[1],"count":2},{"l":null,"count":4}]"#),
            (
                "select=v:traits->l->0::int,n:traits->n::float8.avg(),m:traits->>k.max()&order=traits->l->0::int",
                "PGRST",
            ),
            ("select=traits->>k.count(),c:traits->n.count()", r#"[{"count":4,"c":3}]"#),
            ("select=count()&order=traits->k", "Groups"),
        ] {
            let answer = server.get(User, &format!("/species?{query}")).await;
            if expected.starts_with('[') {
                assert_eq!(answer.expect(200).text, expected, "{query}");
            } else {
                answer.expect(400).saying(expected);
            }
        }
        server.get(User, "/species?select=traits->n.sum()").await.misunderstood("42883");
        server.get(User, "/species?select=traits->>k::int.sum()").await.expect(400).refused("22P02");
    })
    .await;
}

#[tokio::test]
async fn groups_stand_inside_of_rows() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, expected) in [
            (
                "select=name,expenses(amount.sum())&order=name",
                r#"[{"name":"Ada","expenses":[{"sum":null}]},{"name":"Ann","expenses":[{"sum":1000000002650.82}]},{"name":"Bob","expenses":[{"sum":136.74}]},{"name":"Eve","expenses":[{"sum":null}]}]"#,
            ),
            (
                "select=name,expenses(currency,n:count(),amount.sum()::text)&name=in.(Ann,Eve)&order=name&expenses.limit=2&expenses.order=currency.desc",
                r#"[{"name":"Ann","expenses":[{"currency":"USD","n":8,"sum":"2598.26"},{"currency":"JPY","n":1,"sum":"999999999999.99"}]},{"name":"Eve","expenses":[]}]"#,
            ),
            (
                "select=name,expenses(count())&name=eq.Ann&expenses.currency=eq.EUR",
                r#"[{"name":"Ann","expenses":[{"count":2}]}]"#,
            ),
            (
                "select=expenses(amount::int.max(),category)&name=eq.Ann&expenses.offset=3&expenses.limit=1",
                r#"[{"expenses":[{"max":1000000000000,"category":"a,b(c)"}]}]"#,
            ),
        ] {
            let answer = server.get(Admin, &format!("/users?{query}")).await;
            if query.contains("::int") {
                // The ledger has an amount beyond 32 bits.
                answer.expect(400).refused("22003");
            } else {
                assert_eq!(answer.expect(200).text, expected, "{query}");
            }
        }
        server.get(Admin, "/users?select=...expenses(amount.sum())").await.expect(400).refused("PGRST127");
        server.get(Admin, "/users?select=count(),expenses(title)").await.expect(400).refused("PGRST127");
        server.get(Admin, "/users?select=expenses(amount.sum(),amount::int.sum())").await.expect(400).refused("42701");
    })
    .await;
}

#[tokio::test]
async fn rows_are_grouped_by_what_they_belong_to() {
    on_both(async |server| {
        ledger::fill(server).await;
        for (query, expected) in [
            (
                "select=amount.sum(),...user(name)&order=user(name).desc",
                r#"[{"sum":136.74,"name":"Bob"},{"sum":1000000002650.82,"name":"Ann"}]"#,
            ),
            (
                "select=user(name,role),count()",
                r#"[{"user":{"name":"Ann","role":"user"},"count":12},{"user":{"name":"Bob","role":"user"},"count":3}]"#,
            ),
            (
                "select=who:user(initial:name::text),currency,count()&currency=in.(USD,CHF)",
                r#"[{"who":{"initial":"Ann"},"currency":"CHF","count":1},{"who":{"initial":"Ann"},"currency":"USD","count":8},{"who":{"initial":"Bob"},"currency":"USD","count":3}]"#,
            ),
            // Its columns are summed up as those of the row are.
            ("select=...user(name.max(),least:name.min(),n:count())", r#"[{"max":"Bob","least":"Ann","n":15}]"#),
            ("select=count(),user()&user.name=eq.Bob&user=not.is.null", r#"[{"count":3}]"#),
        ] {
            assert_eq!(server.get(Admin, &format!("/expenses?{query}")).await.expect(200).text, expected, "{query}");
        }
        server.get(Admin, "/expenses?select=count(),user(name.max())").await.expect(400).refused("PGRST127");
    })
    .await;
}

/// A related row that the caller does not see is none: its rows are one group with those that have none.
#[tokio::test]
async fn a_hidden_row_makes_no_group() {
    grafted(async |server| {
        let create = async |caller, body: Value| {
            server.rest(caller, "POST", "/species", body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
        };
        let shown = create(Other, json!({ "name": "Shown", "traits": 1, "protected": true })).await;
        let hidden = create(Other, json!({ "name": "Hidden", "traits": 1 })).await;
        for (name, parent) in [("a", Some(&shown)), ("b", Some(&hidden)), ("c", None)] {
            create(User, json!({ "name": name, "traits": 1, "parent_id": parent })).await;
        }
        let ask = async |query: &str| server.get(User, &format!("/species?{query}")).await.expect(200).text;
        assert_eq!(
            ask("select=parent(name,rank),count()&name=in.(a,b,c)").await,
            r#"[{"parent":{"name":"Shown","rank":null},"count":1},{"parent":null,"count":2}]"#
        );
        assert_eq!(
            ask("select=parent(rank),count()&name=in.(a,b,c)").await,
            r#"[{"parent":{"rank":null},"count":1},{"parent":null,"count":2}]"#
        );
        assert_eq!(ask("select=...parent(name.max(),count())&name=in.(a,b,c)").await, r#"[{"max":"Shown","count":1}]"#);
    })
    .await;
}

#[tokio::test]
async fn a_select_has_an_end() {
    on_both(async |server| {
        let casts = |count: usize| (0..count).map(|n| format!("v{n}:id::text")).collect::<Vec<_>>().join(",");
        server.get(User, &format!("/trees?select={}", casts(500))).await.expect(200);
        server.get(User, &format!("/trees?select={}", casts(501))).await.expect(400).refused("54001");
        let types = ["text", "int", "numeric", "float8", "bool", "smallint", "real", "bigint"];
        let different = (0..480).map(|n| format!("v{n}:id::{}", types[n % types.len()])).collect::<Vec<_>>().join(",");
        server.get(User, &format!("/trees?select={different}")).await.expect(200);
        let sums = (0..501).map(|n| format!("v{n}:id::text.max()")).collect::<Vec<_>>().join(",");
        server.get(User, &format!("/trees?select={sums}")).await.expect(400).refused("54001");
        let keys = "title,description,amount,currency,category,spent_on,created_at,updated_at,id,count()";
        server.get(User, &format!("/expenses?select={keys}")).await.expect(400).saying("8 keys");
    })
    .await;
}

/// What is computed of a row is cast as what is stored is.
#[tokio::test]
async fn a_computed_column_is_a_value_as_others_are() {
    on_both(async |server| {
        ledger::fill(server).await;
        let budget = json!({ "category": "Food", "month": "2026-01-01", "limit_amount": "100.00", "currency": "USD" });
        server.rest(User, "POST", "/budgets", budget).await.expect(201);
        for (select, told) in [
            ("spent::text,remaining::int,l:limit_amount::float8", r#"{"spent":"45.58","remaining":54,"l":100.0}"#),
            (
                "spent.sum()::text,remaining::int.max(),month::text.min()",
                r#"{"sum":"45.58","max":54,"min":"2026-01-01"}"#,
            ),
            ("spent::text,count()", r#"{"spent":"45.58","count":1}"#),
        ] {
            let answer = server.get(User, &format!("/budgets?select={select}")).await.expect(200).text;
            assert_eq!(answer, format!("[{told}]"), "{select}");
        }
    })
    .await;
}
