//! Full text in PostgREST's four syntaxes, and by the words of languages: the same rows on both databases.

use super::{ledger, search::by_index};
use crate::support::{Caller::*, Dialect, Server, Setup, on_both, start_with};
use rootstock::{
    catalog::{Language, scalar::Style},
    rest::parse_list,
};
use serde_json::json;

/// A language, texts, and the titles of those that queries find.
type Spoken = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const ROWS: [(&str, Option<&str>); 8] = [
    ("a", Some("Coffee with milk")),
    ("b", Some("milk with coffee")),
    ("c", Some("coffee, MILK; coffee")),
    ("d", Some("milk")),
    ("e", None),
    ("f", Some("")),
    ("g", Some("Fat cats ate-rats")),
    ("h", Some("café au lait, don't")),
];

/// Each text in a column with an index of its words, and in one without.
async fn fill(server: &Server, rows: &[(&str, Option<&str>)]) {
    for (title, text) in rows {
        // A category is not empty.
        let category = text.filter(|text| !text.is_empty()).unwrap_or("-");
        let category = text.map(|_| category);
        let row = json!({ "title": title, "amount": 1, "description": text, "category": category });
        server.expense(User, row).await;
    }
    server.expense(Other, json!({ "title": "z", "amount": 1, "description": "coffee milk cats" })).await;
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    on_both(async |server| {
        let nested = format!("{}a{}", "(".repeat(51), ")".repeat(51));
        for (query, code, says) in [
            ("fts.a b", "42601", "syntax error in tsquery: \\\"a b\\\""),
            ("fts.a %26", "42601", "no operand in tsquery: \\\"a &\\\""),
            ("fts.(a", "42601", "syntax error in tsquery: \\\"(a\\\""),
            ("fts.a)", "42601", "syntax error in tsquery: \\\"a)\\\""),
            ("fts.'a", "42601", "syntax error in tsquery: \\\"'a\\\""),
            ("fts.a <99999> b", "42601", "between zero and 16384"),
            ("fts(english).a b", "42601", "syntax error in tsquery: \\\"a b\\\""),
            (&format!("fts.{nested}"), "42601", "at most 50"),
            (&format!("wfts.{}", "x".repeat(1_001)), "22P02", "at most 1000 characters"),
            ("fts(klingon).a", "42704", "text search configuration \\\"klingon\\\" does not exist"),
            ("fts(englisch).a", "42704", "Did you mean \\\"english\\\"?"),
            ("wfts().a", "42704", "There are simple, arabic"),
            ("plfts(any).{a,b}", "42704", "does not exist"),
            ("fts(english)a", "PGRST100", "failed to parse filter (fts(english)a)\\\" (line 1, column 13)"),
            ("fts(english", "PGRST100", "unexpected end of input"),
            ("fts", "PGRST100", "unexpected end of input expecting \\\".\\\""),
        ] {
            for prefix in ["", "not."] {
                let path = format!("/expenses?title={prefix}{}", query.replace(' ', "+"));
                let answer = server.get(User, &path).await.misunderstood(code);
                if prefix.is_empty() {
                    answer.saying(says);
                }
            }
        }
        server.get(User, "/expenses?amount=wfts.1").await.misunderstood("42883").saying("has no meaning");
        server.get(User, "/expenses?amount=fts(german).1").await.misunderstood("42883");
    })
    .await;
}

#[tokio::test]
async fn every_syntax_finds_what_it_says() {
    on_both(async |server| {
        fill(server, &ROWS).await;
        for (query, found) in [
            ("fts.coffee", "abc"),
            ("fts.COFFEE & milk", "abc"),
            ("fts.coffee <-> milk", "c"),
            ("fts.coffee<->milk", "c"),
            ("fts.coffee <2> milk", "a"),
            ("fts.coffee <0> milk", ""),
            ("fts.milk <-> coffee", "c"),
            ("fts.milk <-> with <-> coffee", "b"),
            ("fts.milk <-> (with <-> coffee)", "b"),
            ("fts.coffee <-> (milk | with)", "ac"),
            ("fts.(coffee | milk) <-> with", "ab"),
            ("fts.!milk <-> coffee", "abc"),
            ("fts.with <-> !milk", "b"),
            ("fts.!(coffee <-> milk)", "abdfgh"),
            ("fts.!coffee", "dfgh"),
            ("fts.!!coffee", "abc"),
            ("fts.!nothing", "abcdfgh"),
            ("fts.coffee & !with", "c"),
            ("fts.coffee <-> milk | cats", "cg"),
            ("fts.coffee <-> milk & cats", ""),
            ("fts.milk | cats", "abcdg"),
            ("fts.cof", ""),
            ("fts.cof:*", "abc"),
            ("fts.cof*", ""),
            ("fts.cof:* <-> mi:*", "c"),
            ("fts.'cats ate'", "g"),
            ("fts.'ca at':*", "g"),
            ("fts.ate-rats", "g"),
            ("fts.rats-ate", ""),
            ("fts.cats <-> '--' <-> rats", "g"),
            ("fts.'don''t'", "h"),
            ("fts.caf\\é", "h"),
            ("fts.cafe", ""),
            ("fts.coffee:D", "abc"),
            ("fts.coffee:A", ""),
            ("fts.coffee:A | rats", "g"),
            ("fts.!coffee:A", "abcdfgh"),
            ("fts.", ""),
            ("fts.'--'", ""),
            ("fts.!'--'", ""),
            ("fts.coffee & '--'", "abc"),
            ("plfts.milk coffee", "abc"),
            ("plfts.milk & !coffee", "abc"),
            ("plfts.cof*", ""),
            ("plfts.", ""),
            ("phfts.coffee milk", "c"),
            ("phfts.milk coffee", "c"),
            ("phfts.Cats, ATE", "g"),
            ("phfts.coffee", "abc"),
            ("phfts.cats rats", ""),
            ("phfts.--", ""),
            ("wfts.milk coffee", "abc"),
            ("wfts.coffee -with", "c"),
            ("wfts.\"with milk\" or rats", "ag"),
            ("wfts.\"coffee with\" OR \"fat cats\" -dogs", "ag"),
            ("wfts.-milk", "fgh"),
            ("wfts.-\"coffee milk\" coffee", "ab"),
            ("wfts.or", ""),
            ("wfts.coffee & (milk | !with", "ab"),
            ("wfts.\"milk", "abcd"),
            ("wfts.", ""),
        ] {
            let (word, query) = query.split_once('.').expect("an operator");
            let query = escaped(query);
            for column in ["description", "category"] {
                // What is empty there is a dash here, which has as many words.
                let said = format!("{column}={word}.{query}&order=title");
                assert_eq!(ledger::by_rest(server, &said).await, found, "{said}");
                let rest: String = "abcdfgh".chars().filter(|title| !found.contains(*title)).collect();
                let said = format!("{column}=not.{word}.{query}&order=title");
                assert_eq!(ledger::by_rest(server, &said).await, rest, "{said}");
            }
        }
        for (query, found) in [
            ("or=(description.phfts.\"coffee, milk\",title.eq.e)", "ce"),
            ("or=(description.not.wfts.\"milk or cats\",category.fts.rats)", "fgh"),
            ("not.and=(description.fts.coffee,category.fts.\"coffee <-> milk\")", "abdfgh"),
            ("description=fts.coffee&description=not.phfts.coffee+milk", "ab"),
            ("description=fts(simple).\"&title=eq.a", ""),
        ] {
            assert_eq!(ledger::by_rest(server, &format!("{query}&order=title")).await, found, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_phrase_is_found_wherever_it_is_in_a_long_text() {
    on_both(async |server| {
        // PostgreSQL keeps 256 places of a word, and so does SQLite here.
        let (near, far) = (format!("{}end", "x ".repeat(200)), format!("{}end", "x ".repeat(400)));
        for (title, text) in [("n", near), ("o", far)] {
            server.expense(User, json!({ "title": title, "amount": 1, "description": text })).await;
        }
        for (query, found) in [("phfts.x+end", "n"), ("fts.x+%26+end", "no"), ("phfts.x+x+x", "no")] {
            assert_eq!(ledger::by_rest(server, &format!("description={query}&order=title")).await, found, "{query}");
        }
    })
    .await;
}

/// As deep as a query may be, whatever the stacks of the databases' own parsers hold.
#[tokio::test]
async fn a_query_that_is_nested_deep_is_looked_for() {
    on_both(async |server| {
        fill(server, &ROWS).await;
        let nested = |levels: usize, open: [&str; 2]| {
            let opened: String = (0..levels).rev().map(|level| open[level % 2]).collect();
            format!("{opened}coffee{}", ")".repeat(levels))
        };
        let not = |signs: usize| format!("{}milk & x{}", "!(".repeat(signs), ")".repeat(signs));
        let phrase = |parts: usize| format!("coffee <-> milk{}", " <-> (milk|x)".repeat(parts));
        for (query, found) in [
            (nested(49, ["milk & (", "x | ("]), "abc"),
            (nested(50, ["x | (", "milk & ("]), "abc"),
            (nested(50, ["!(", "!("]), "abc"),
            (not(50), ""),
            (not(49), "abcdfgh"),
            ("!('--' & !(".repeat(25) + "milk" + &"))".repeat(25), "abcd"),
            (phrase(70), ""),
            (format!("({}) | milk", phrase(70)), "abcd"),
        ] {
            for language in ["", "(english)", "(simple)"] {
                let query = format!("description=fts{language}.{}&order=title", escaped(&query));
                assert_eq!(ledger::by_rest(server, &query).await, found, "{query}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_language_knows_the_forms_of_its_words() {
    #[rustfmt::skip]
    let languages: [Spoken; 6] = [
        ("english", &["The quick brown foxes jumped over the lazy dogs", "A fox jumps", "Running runners ran in 2024", "Happiness is a warm puppy"], &[
            ("fts.fox", "ab"), ("fts.foxes", "ab"), ("fts.jumping", "ab"), ("fts.jump:*", "ab"), ("fts.run", "c"), ("fts.happy", "d"),
            ("fts.2024", "c"), ("fts.the", ""), ("fts.!fox", "cd"), ("fts.!the", ""), ("fts.the & dog", "a"), ("fts.dog & !jump", ""),
            ("plfts.the lazy dog", "a"), ("plfts.The Fox", "ab"), ("phfts.over the lazy dog", "a"), ("phfts.over a lazy dog", "a"),
            ("phfts.over lazy dog", "a"),
                ("phfts.jump lazy", ""), ("phfts.fox jump", "ab"), ("wfts.fox -lazy", "b"), ("wfts.\"warm puppies\" or dogs", "ad"),
            ("fts.fox <-> jump <2> the", "ab"), ("fts.over <2> lazy", "a"), ("fts.foxes:D", "ab"), ("fts.fox:A", ""),
        ]),
        ("simple", &["The quick brown foxes", "A fox"], &[("fts.fox", "b"), ("fts.the", "a"), ("phfts.the quick", "a"), ("wfts.-fox", "a")]),
        ("french", &["Les chevaux mangeaient des pommes", "Le cheval mange une pomme", "Nous étions très HEUREUSES à l'école"], &[
            ("fts.pomme", "ab"), ("fts.manger", "ab"), ("fts.heureuse", "c"), ("plfts.les pommes", "a"), ("plfts.le la une", ""),
            ("phfts.mange une pomme", "ab"),
                ("phfts.pomme mange", ""), ("fts.étions", ""), ("fts.écoles", "c"), ("fts.chevaux", "ab"),
                ("wfts.pommes -mange", ""),
                ("wfts.pommes -les", "b"),
                ("wfts.pommes -des", "ab"),
        ]),
        ("german", &["Die Häuser sind alt", "Das Haus ist alt", "Kinder spielen im Garten", "Straßen und Gärten"], &[
            ("fts.haus", "ab"), ("fts.hauses", "ab"), ("fts.kindern", "c"), ("fts.garten", "cd"), ("fts.strasse", "d"), ("fts.die", ""),
            ("phfts.haus ist alt", "ab"), ("wfts.garten -kinder", "d"), ("wfts.kindes or strasse", "cd"),
        ]),
        ("spanish", &["Los niños comían manzanas", "El niño come una manzana", "Las niñas corrían"], &[
            ("fts.niño", "abc"), ("fts.manzana", "ab"), ("fts.comer", "ab"), ("fts.correr", "c"), ("fts.los", ""), ("phfts.come la manzana", "b"),
        ]),
        ("russian", &["Красные яблоки лежат на столе", "Красное яблоко"], &[("fts.яблоко", "ab"), ("fts.КРАСНЫЙ", "ab"), ("fts.стол", "a"), ("fts.на", "")]),
    ];
    for (language, texts, cases) in languages {
        on_both(async |server| {
            let rows: Vec<_> = ["a", "b", "c", "d"].into_iter().zip(texts.iter().map(|text| Some(*text))).collect();
            fill(server, &rows).await;
            server.expense(User, json!({ "title": "e", "amount": 1 })).await;
            let all: String = rows.iter().map(|(title, _)| *title).collect();
            for (query, found) in cases {
                let (word, query) = query.split_once('.').expect("an operator");
                for column in ["description", "category"] {
                    let said = format!("{word}({language}).{}&order=title", escaped(query));
                    assert_eq!(ledger::by_rest(server, &format!("{column}={said}")).await, *found, "{said} {query}");
                    let rest: String = all.chars().filter(|title| !found.contains(*title)).collect();
                    assert_eq!(
                        ledger::by_rest(server, &format!("{column}=not.{said}")).await,
                        rest,
                        "not {said} {query}"
                    );
                }
            }
        })
        .await;
    }
}

/// Words of every language, stemmed and left out alike on both databases.
#[tokio::test]
async fn every_language_is_the_same_on_both_databases() {
    const TEXTS: [&str; 12] = [
        "not all of the children were running happily through the gardens",
        "unsere Kinder, ihrer und dass alle Häuser größer wären; unser",
        "ils ont les héros nationaux, héroïque et généralement nous aurions",
        "vosotros habíais cantado canciones, nosotros estamos bien",
        "essere stato nella città delle biblioteche italiane",
        "hún að være eller ikke være, det er spørgsmålet om børnene",
        "att vara eller inte vara, barnens böcker och flickorna",
        "evlerimizden gelen çocuklar için kitaplar ve İstanbul",
        "először voltak a házakban, majd elő az ők könyvei",
        "Красивые девушки читали книги о Москве",
        "ser ou não ser, estar, haver; é são as crianças",
        "2nd m2 1e5 x3y 007 covid19 οδος ΟΔΟΣ βιβλία μας كتاب الكتب",
    ];
    let mut answers = Vec::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        for text in TEXTS {
            server.expense(User, json!({ "title": "x", "amount": 1, "description": text })).await;
        }
        let mut found = Vec::new();
        for language in Language::ALL {
            let name = language.name();
            // Each word by itself, or without it: a word that says nothing finds nothing either way.
            for text in TEXTS {
                let words: Vec<_> = text.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
                for pair in words.chunks(2) {
                    let query = escaped(&pair.join(" -"));
                    let path =
                        format!("/expenses?select=description&order=description&description=wfts({name}).{query}");
                    found.push((path.clone(), server.get(User, &path).await.expect(200).text));
                }
            }
        }
        answers.push(found);
    }
    let [sqlite, postgres] = answers.as_slice() else { panic!("two databases") };
    for (one, other) in sqlite.iter().zip(postgres) {
        assert_eq!(one, other);
    }
}

/// Queries of all forms, made by a rule, not by hand.
#[tokio::test]
async fn any_query_finds_the_same_rows_on_both_databases() {
    const WORDS: [&str; 8] = ["a", "b", "c", "ab", "'a b'", "a:*", "b:D", "c:A"];
    const SIGNS: [&str; 5] = [" & ", " | ", " <-> ", " <2> ", " <0> "];
    const TEXTS: [&str; 10] = ["a", "a b", "b a", "a b c", "c b a", "a a b b", "ab c a", "b c", "c ab b a", "x"];
    let mut state = 7_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % below
    };
    let mut queries = Vec::new();
    for _ in 0..250 {
        let (mut query, mut open) = (String::new(), 0);
        for index in 0..1 + random(5) {
            if index > 0 {
                query += SIGNS[random(SIGNS.len())];
            }
            query += ["", "", "", "!"][random(4)];
            if random(3) == 0 {
                query.push('(');
                open += 1;
            }
            query += WORDS[random(WORDS.len())];
            if open > 0 && random(2) == 0 {
                query.push(')');
                open -= 1;
            }
        }
        queries.push(query + &")".repeat(open));
    }
    let mut answers = Vec::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let server = start_with(dialect, Setup::default()).await;
        for text in TEXTS {
            server.expense(User, json!({ "title": text, "amount": 1, "description": text, "category": text })).await;
        }
        let mut found = Vec::new();
        for query in &queries {
            for said in ["description=fts", "category=not.fts", "description=fts(english)"] {
                let path = format!("/expenses?select=title&order=title&{said}.{}", escaped(query));
                found.push((said, query, server.get(User, &path).await.expect(200).text));
            }
        }
        answers.push(found);
    }
    let [sqlite, postgres] = answers.as_slice() else { panic!("two databases") };
    for (one, other) in sqlite.iter().zip(postgres) {
        assert_eq!(one, other);
    }
}

/// An index proposes the rows, also of a phrase; what is only not to be there it cannot.
#[tokio::test]
async fn the_index_serves() {
    on_both(async |server| {
        fill(server, &ROWS).await;
        let catalog = server.app.engine.catalog();
        let resource = catalog.at(catalog.find("expenses").expect("a resource"));
        for query in ["description=fts.coffee", "description=phfts.coffee+milk", "description=wfts.x+-y"] {
            let parsed = parse_list(resource, catalog, query, 100).expect("a list");
            by_index(server, &parsed.question, Style::Rest, "expenses_description_search_idx", |sql| {
                sql.replace("$1", r#"'{"''milk''",NULL}'"#).replace("?1", r#"'["milk",null,"milk"]'"#)
            })
            .await;
        }
    })
    .await;
}
