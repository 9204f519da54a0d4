//! The document is complete: what is not described, or described wrongly, fails here.

use super::*;

fn operations() -> Vec<(String, bool, Operation)> {
    let mut document = document().clone();
    let mut all = Vec::new();
    for (path, item) in &mut document.paths.paths {
        for (is_post, operation) in operations_mut(item) {
            all.push((path.clone(), is_post, operation.clone()));
        }
    }
    all
}

#[test]
fn every_code_that_a_handler_names_is_one() {
    let mut raw = routes::described();
    for (path, item) in &mut raw.paths.paths {
        for (_, operation) in operations_mut(item) {
            for code in problems::own(operation) {
                assert!(problems::example(&code).is_some(), "{path}: {code}");
            }
        }
    }
}

#[test]
fn every_operation_says_what_it_is_in_both_languages() {
    for (path, _, operation) in operations() {
        let summary = operation.summary.unwrap_or_default();
        assert!(summary.contains(" / "), "{path}: {summary}");
        let tag = operation.tags.unwrap_or_default();
        assert!(TAGS.iter().any(|(name, _)| tag == [*name]), "{path}: {tag:?}");
        for (status, answer) in &operation.responses.responses {
            let RefOr::T(answer) = answer else { panic!("{path} {status}") };
            assert!(!answer.description.is_empty(), "{path} {status}");
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let mut names: Vec<_> =
        operations().into_iter().filter_map(|(_, _, operation)| operation.operation_id).collect();
    let all = names.len();
    assert_eq!(all, operations().len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

#[test]
fn every_post_of_v1_takes_an_idempotency_key_and_every_path_an_api_key() {
    for (path, is_post, operation) in operations() {
        let v1 = path.starts_with("/v1/");
        assert_eq!(operation.security.is_some(), v1, "{path}");
        let parameters = operation.parameters.unwrap_or_default();
        let takes = parameters.iter().any(
            |parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "Idempotency-Key"),
        );
        assert_eq!(takes, v1 && is_post, "{path}");
    }
}
