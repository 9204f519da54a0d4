//! `suanpan api`: the document for machines, a list for people; neither needs a configuration.

use crate::process::run;

#[test]
fn the_document_is_printed_as_it_is_committed() {
    let ended = run(&["api", "--json"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout == include_str!("../../../../docs/openapi.json"));
    assert_eq!(ended.json()["openapi"], "3.1.0");
}

#[test]
fn people_get_a_line_an_endpoint() {
    let ended = run(&["api"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let create = ended
        .stdout
        .lines()
        .find(|line| line.contains("POST") && line.contains("/v1/orders "))
        .unwrap();
    assert!(create.contains("创建订单 / Create an order"), "{create}");
}
