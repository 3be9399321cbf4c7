//! Pictures of what a real server has.

use dbops_postgres::connect;
use dbops_schema_graph::{Graph, PictureFormat, picture, read};

const SHOP: &str = "
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id bigint PRIMARY KEY, email character varying(200) NOT NULL UNIQUE);
CREATE TABLE shop.profiles (customer_id bigint PRIMARY KEY REFERENCES shop.customers, text text);
CREATE TABLE shop.orders (
    id bigint, placed_at timestamp with time zone,
    customer_id bigint NOT NULL REFERENCES shop.customers ON DELETE CASCADE,
    replaces bigint, replaces_at timestamp with time zone,
    PRIMARY KEY (id, placed_at),
    FOREIGN KEY (replaces, replaces_at) REFERENCES shop.orders
) PARTITION BY RANGE (placed_at);
CREATE TABLE shop.orders_2025 PARTITION OF shop.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT PARTITION BY HASH (id);
CREATE TABLE shop.orders_rest_0 PARTITION OF shop.orders_rest FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE shop.claims (of bigint, of_at timestamptz, FOREIGN KEY (of, of_at) REFERENCES shop.orders_2025 (id, placed_at));
CREATE VIEW shop.recent AS SELECT o.id, c.email FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id;
";

const MERMAID: &str = r#"erDiagram
    "claims" {
        bigint of FK
        timestamptz of_at FK
    }
    "customers" {
        bigint id PK
        varchar(200) email
    }
    "orders" {
        bigint id PK
        timestamptz placed_at PK
        bigint customer_id FK
        bigint replaces FK
        timestamptz replaces_at FK
    }
    "profiles" {
        bigint customer_id PK, FK
        text text
    }
    "recent" {
        bigint id
        varchar(200) email
    }
    "customers" }o..o{ "recent" : "reads"
    "orders" }o..o{ "recent" : "reads"
    "customers" ||--o{ "orders" : "customer_id"
    "customers" ||--o| "profiles" : "customer_id"
    "orders" |o--o{ "claims" : "of, of_at"
    "orders" |o--o{ "orders" : "replaces, replaces_at"
"#;

/// Lines of the picture for Graphviz.
const DOT: &[&str] = &[
    "        label=<shop>\n",
    "<b>orders</b> <i>3 partitions</i>",
    "<b>recent</b> <i>view</i>",
    r#"<tr><td>PK</td><td align="left">id</td><td align="left" port="c0">bigint</td></tr>"#,
    r#"<tr><td>FK</td><td align="left">replaces</td><td align="left" port="c3">bigint ?</td></tr>"#,
    "    t4:name -> t1:name [style=dashed, arrowtail=none, arrowhead=vee]\n",
    "    t2:c2 -> t1:c0 [arrowtail=crowodot, arrowhead=tee]\n",
    "    t3:c0 -> t1:c0 [arrowtail=teeodot, arrowhead=tee]\n",
    "    t2:c3 -> t2:c0 [arrowtail=crowodot, arrowhead=teeodot]\n",
];

/// Names that would be more than names, were they not escaped.
const HOSTILE: &str = r#"
CREATE SCHEMA "</style><script>alert(1)</script>";
SET search_path = "</style><script>alert(1)</script>";
CREATE TABLE "</script><script>alert(2)</script>" ("' onload='alert(3)" integer PRIMARY KEY, "]]><x" text);
CREATE TABLE "a"" b"" -> c [" (
    "</title><script>alert(4)</script>" integer REFERENCES "</script><script>alert(2)</script>", pk integer, "uk-1" text,
    "1 %% {" text, "x~y~z" text);
CREATE TABLE "direction TB" ("new
line" text);
CREATE TABLE "direction_TB" ();
COMMENT ON TABLE "direction TB" IS '--><script>alert(5)</script>';
COMMENT ON COLUMN "direction TB"."new
line" IS E'<b onclick="alert(6)">\u0001\u202e';
"#;

const HOSTILE_MERMAID: &str = r#"erDiagram
    "_/script__script_alert(2)_/script_" {
        integer __onload__alert(3) PK "' onload='alert(3)"
        text _]]__x "]]__x"
    }
    "a' b' -_ c [" {
        integer __title__script_alert(4)__script_ FK "_/title__script_alert(4)_/script_"
        integer _pk "pk"
        text _uk-1 "uk-1"
        text _1_____ "1 __ {"
        text x_y_z "x-y-z"
    }
    "direction_TB" {
        text new_line "new line"
    }
    "direction_TB (2)" {
    }
    "_/script__script_alert(2)_/script_" |o--o{ "a' b' -_ c [" : "_/title__script_alert(4)_/script_"
"#;

async fn graph(sql: &str) -> Graph {
    let url = dbops_testbed::create_database("picture");
    let mut client = connect(&url).await.expect("connect");
    client.batch_execute(sql).await.expect("a schema");
    read(&mut client).await.expect("read")
}

/// Every element is closed where it should be, and these are all there are.
fn elements(svg: &str) -> Vec<&str> {
    let (mut open, mut all) = (Vec::new(), Vec::new());
    for tag in svg.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') || tag == "style", "{tag} {text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        all.push(name);
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    all
}

#[tokio::test]
async fn a_picture_has_tables_keys_and_references_and_folds_partitions() {
    let graph = graph(SHOP).await;
    assert_eq!(picture(&[("db", &graph)], PictureFormat::Mermaid), MERMAID);
    let dot = picture(&[("db", &graph)], PictureFormat::Dot);
    for line in DOT {
        assert!(dot.contains(line), "{line}{dot}");
    }
    let svg = picture(&[("db", &graph)], PictureFormat::Svg);
    let all = elements(&svg);
    let count = |name| all.iter().filter(|element| **element == name).count();
    // A dot for each column; a line and its tips for each of six references; the heads of five tables.
    assert_eq!((count("circle"), count("path")), (2 + 2 + 5 + 2 + 2, 6 * 2 + 5));
    for text in ["<title>profiles (customer_id) refers to customers</title>", ">3 partitions</text>", ">shop</text>"] {
        assert!(svg.contains(text), "{text}");
    }
    let both = picture(&[("one", &graph), ("other", &graph)], PictureFormat::Mermaid);
    assert!(both.contains("\"one.shop.customers\" ||--o{ \"one.shop.orders\""), "{both}");
    assert!(both.contains("\"other.shop.customers\" ||--o{ \"other.shop.orders\""), "{both}");
}

#[tokio::test]
async fn names_are_never_more_than_names() {
    let graph = graph(HOSTILE).await;
    let title = "</title><script>alert(0)</script>";
    let draw = |format| picture(&[(title, &graph)], format);
    let [svg, html, dot] = [PictureFormat::Svg, PictureFormat::Html, PictureFormat::Dot].map(draw);
    let known = ["svg", "title", "style", "rect", "g", "text", "path", "circle"];
    assert!(elements(&svg).iter().all(|element| known.contains(element)), "{svg}");
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert_eq!(html.matches("</style>").count(), 2, "{html}");
    for text in [&svg, &html, &dot] {
        assert!(text.contains("&lt;/script&gt;&lt;script&gt;alert(2)&lt;/script&gt;"), "{text}");
        assert!(!text.contains("<script>alert") && !text.contains('\u{1}') && !text.contains('\u{202e}'), "{text}");
        assert!(!text.contains("onclick=\"") && !text.contains("onload='"), "{text}");
    }
    assert_eq!(draw(PictureFormat::Mermaid), HOSTILE_MERMAID);
    for format in [PictureFormat::Mermaid, PictureFormat::Dot, PictureFormat::Svg, PictureFormat::Html] {
        assert_eq!(draw(format), draw(format));
    }
}

#[tokio::test]
async fn an_empty_schema_has_a_picture_too() {
    let graph = graph("SELECT 1").await;
    let draw = |format| picture(&[("db", &graph)], format);
    assert_eq!(draw(PictureFormat::Mermaid), "erDiagram\n");
    assert!(draw(PictureFormat::Svg).contains(">no tables</text>"));
    assert!(draw(PictureFormat::Html).contains("0 tables, 0 references"));
    assert!(draw(PictureFormat::Dot).ends_with("fontsize=9]\n}\n"));
}
