//! What is well is left in peace.

use suanpan_server::doctor::Mark;

use crate::clinic::{CERTIFICATES, Clinic, PARTNER, V2, V3, marks, wanted};

#[tokio::test]
async fn each_kind_of_account_is_well() {
    for merchants in
        [&[V3][..], &[V2], &[CERTIFICATES], &[PARTNER], &[V3, V2, CERTIFICATES, PARTNER]]
    {
        let clinic = Clinic::open(merchants).await;
        let report = clinic.examine(false).await;
        clinic.check(&format!("{merchants:?}"), &report, &wanted(&[], "", ""));
        assert!(marks(&report, "net.reach").iter().all(|(_, mark)| *mark == Mark::Ok));
    }
}

/// What is proven is said to be, and what cannot be is not.
#[tokio::test]
async fn a_signature_is_proven_by_a_number_that_no_order_has() {
    let clinic = Clinic::open(&[V3, V2, CERTIFICATES, PARTNER]).await;
    let report = clinic.examine(false).await;
    let mchid = |nth| clinic.of(nth, "mchid");
    let all = |mark| [V3, V2, CERTIFICATES, PARTNER].map(|nth| (mchid(nth), mark)).to_vec();
    assert_eq!(marks(&report, "wechat.v3_sign"), all(Mark::Ok));
    assert_eq!(marks(&report, "wechat.v3_answer"), all(Mark::Ok));
    assert_eq!(marks(&report, "wechat.v2_sign"), all(Mark::Ok));
    let keys =
        [(V3, Mark::Skipped), (V2, Mark::Ok), (CERTIFICATES, Mark::Ok), (PARTNER, Mark::Skipped)];
    assert_eq!(marks(&report, "wechat.v3_key"), keys.map(|(nth, mark)| (mchid(nth), mark)));
    assert_eq!(marks(&report, "wechat.app_secret").len(), 5);
    let bound = marks(&report, "wechat.binding");
    let proven = bound.iter().filter(|(_, mark)| *mark == Mark::Ok).count();
    // A query of APIv3 names no app of a direct merchant; those of APIv2 and of partners name theirs.
    assert_eq!((proven, bound.len()), (3, 6), "{bound:?}");
}

#[tokio::test]
async fn a_configuration_for_the_real_wechat_is_well() {
    let clinic = Clinic::open_real(&[V3, V2, PARTNER]).await;
    let report = clinic.examine(true).await;
    clinic.check("real", &report, &wanted(&[], "", ""));
    assert!(report.checks.iter().all(|one| !one.check.online));
}

#[tokio::test]
async fn a_p12_is_as_good_as_two_pem_files() {
    let mut clinic = Clinic::open(&[V3]).await;
    clinic.unset("merchants.0.merchant_certificate");
    clinic.unset("merchants.0.merchant_private_key");
    clinic.set("merchants.0.merchant_p12", clinic.of(V3, "merchant_p12"));
    clinic.check("p12", &clinic.examine(false).await, &wanted(&[], "", ""));
}
