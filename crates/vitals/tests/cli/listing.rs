//! Lists, and the forms in which they are printed.

use heights_vitals::Tier;
use serde_json::Value;

use crate::app::App;

#[tokio::test]
async fn the_registry_tells_who_answers_to_which_name() {
    let app = App::start(Tier::Read).await;
    let store = app.store.running().await;
    let (pid, owner) = (store.process().pid().to_string(), store.process().owner());
    app.names.register("the store".to_owned(), 7, owner).unwrap();
    let table = app.run(&["registry"]).await.stdout();
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split("  ").collect()).collect();
    assert_eq!(words[0][0], "REGISTRY");
    for part in ["names", "the store", &pid, "demo/store"] {
        assert!(table.lines().nth(1).unwrap().contains(part), "{part}: {table}");
    }
    assert_eq!(app.run(&["registry", "-o", "name"]).await.stdout(), "the store\n");
    let rows = app.run(&["registry", "store", "-o", "jsonl"]).await.stdout();
    let row: Value = serde_json::from_str(&rows).unwrap();
    assert_eq!((&row["schema"], &row["value"]), (&"vitals.name/1".into(), &Value::Null));
    assert_eq!(app.run(&["registry", "no such", "-o", "name"]).await.stdout(), "");
    app.root.stop().await;
}

#[tokio::test]
async fn a_list_is_printed_as_names_as_rows_and_without_a_cut() {
    let app = App::start(Tier::Read).await;
    let names = app.run(&["tree", "-o", "name"]).await.stdout();
    assert_eq!(names, "demo\ndemo/store\ndemo/pulls\ndemo/pulls/pull-7\n");
    let rows = app.run(&["top", "-o", "jsonl"]).await.stdout();
    let rows: Vec<Value> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row["schema"] == "vitals.actor/1"), "{rows:?}");
    let wide = app.run(&["top", "-o", "wide"]).await.stdout();
    assert!(wide.starts_with("PID") && wide.contains("demo/pulls/pull-7\n"), "{wide}");
    let ran = app.run(&["info", "store", "-o", "name"]).await;
    assert_eq!(ran.code(), 2);
    assert!(ran.stderr().contains("only lists have names to print"), "{}", ran.stderr());
    app.root.stop().await;
}

#[tokio::test]
async fn nothing_is_done_or_awaited_whose_answer_cannot_be_printed() {
    let app = App::start(Tier::Control).await;
    let never = "exists(nobody)";
    for said in [&["kill", "pull-7", "--yes", "--wait"][..], &["wait", never]] {
        let ran = app.run(&[said, &["-o", "name"]].concat()).await;
        assert_eq!(ran.code(), 2, "{said:?}");
        assert!(ran.stderr().contains("only lists have names to print"), "{}", ran.stderr());
    }
    assert_eq!(app.json(&["info", "pull-7"]).await["actor"]["incarnation"], 1);
    app.root.stop().await;
}

#[tokio::test]
async fn a_supervisor_points_to_the_worker_that_is_meant() {
    let app = App::start(Tier::Read).await;
    let ran = app.run(&["why", "pulls"]).await;
    assert_eq!(ran.stderr(), "next: vitals why demo/pulls/pull-7\n");
    let ran = app.run(&["state", "pulls"]).await;
    let said = "demo/pulls shows nothing of its state\nnext: vitals state demo/pulls/pull-7\n";
    assert_eq!((ran.code(), ran.stderr().as_str()), (1, said));
    assert_eq!(app.run(&["why", "pull-7"]).await.stderr(), "");
    app.root.stop().await;
}
