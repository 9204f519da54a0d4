//! Vectors of what this crate does not speak (yet). They wait here, counted, so that
//! none is lost, and the day their protocol comes it finds them.

use std::collections::BTreeMap;

use crate::common::{text, vector_file, vectors};

/// Kind, how many, and why not.
const KINDS: &[(&str, usize, &str)] = &[
    ("message_push_safe_mode", 4, "events of the platform are no step of a payment"),
    ("message_push_signature", 2, "events of the platform are no step of a payment"),
    ("open_data_decrypt", 1, "the phone number of a payer is not ours to know"),
    ("session_signature", 1, "a session_key is never checked or reset: it is not kept"),
    ("xpay", 2, "virtual payment is another product, with keys of its own"),
];

#[test]
fn every_vector_without_a_test_is_here_with_its_reason() {
    let mut counts = BTreeMap::new();
    for vector in vectors(vector_file!("out_of_scope.json"), 10) {
        let count: &mut usize = counts.entry(text(&vector, "kind").to_owned()).or_default();
        *count += 1;
    }
    let want: BTreeMap<_, _> =
        KINDS.iter().map(|(kind, count, _)| ((*kind).to_owned(), *count)).collect();
    assert_eq!(counts, want);
}
