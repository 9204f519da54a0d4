//! The bills of a day, and what is planted in them.

use std::io::Read as _;

use serde_json::{Value, json};
use suanpan_wechat::bill::{AccountType, BillDate, BillHash, BillType, FundBill, TradeBill};
use suanpan_wechat::v2::SignType;
use suanpan_wechat::{Download, Error, Fen, Moment, OutRefundNo, Reply, v2, v3};

use crate::common::{Said, Sim};
use crate::merchant::{Merchant, NOWHERE, number};

/// The day on which all of this happens: the clock starts at eight in the morning.
const DAY: &str = "2026-01-01";
const HOUR: u32 = 3600;

fn day() -> BillDate {
    DAY.parse().unwrap()
}

/// Asks for a file as a client does.
async fn download(sim: &Sim, call: &impl Download) -> Result<Vec<u8>, Error> {
    let question = call.request(Moment { now: sim.now(), nonce: &sim.nonce() }).unwrap();
    let Said { status, headers, body } = sim.send(question).await;
    if call.is_file(status, &body) {
        return Ok(body);
    }
    Err(call.refused(Reply { status, headers: &headers, body: &body }))
}

fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

async fn place(sim: &Sim, merchant: &Merchant, kind: BillType) -> Result<v3::BillPlace, Error> {
    let account = merchant.v3();
    sim.ask(&v3::AskTradeBill { account, bill_date: day(), sub_mchid: None, bill_type: kind }).await
}

/// The bill over APIv3, its digest checked.
async fn bill(sim: &Sim, merchant: &Merchant, kind: BillType) -> String {
    let place = place(sim, merchant, kind).await.unwrap();
    let file = v3::DownloadBill { account: merchant.v3(), place: &place };
    let text = unpacked(&download(sim, &file).await.unwrap());
    let mut hash = BillHash::new();
    hash.update(text.as_bytes());
    assert_eq!(hash.finish(), place.hash_value);
    text
}

/// Each row in short, and the totals.
fn rows(text: &str) -> Vec<String> {
    let mut bill = TradeBill::open(text.as_bytes()).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = bill.next_row().unwrap() {
        rows.push(match &row.refund {
            None => format!("{} {} fee {}", row.out_trade_no, row.total, row.fee),
            Some(back) => format!(
                "{} back {} {} {} fee {}",
                row.out_trade_no, back.out_refund_no, back.amount, back.status, row.fee
            ),
        });
    }
    let totals = bill.totals().unwrap();
    rows.push(format!("{} {} {} {}", totals.count, totals.total, totals.refund, totals.fee));
    rows
}

async fn refund(sim: &Sim, merchant: &Merchant, out_trade_no: &str, fen: i64) {
    let order = v3::RefundOrder {
        sub_mchid: None,
        transaction_id: None,
        out_trade_no: Some(number(out_trade_no)),
        out_refund_no: OutRefundNo::parse(&format!("R-{out_trade_no}")).unwrap(),
        reason: None,
        notify_url: None,
        funds_account: None,
        amount: v3::RefundOrderAmount {
            refund: Fen::new(fen).unwrap(),
            from: Vec::new(),
            total: Fen::new(990).unwrap(),
            currency: "CNY".to_owned(),
        },
        goods_detail: Vec::new(),
    };
    sim.ask(&v3::CreateRefund { account: merchant.v3(), order: &order }).await.unwrap();
}

/// Two orders and a refund, and it is past ten the next day.
async fn a_day_later() -> (Sim, Merchant) {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    for order in ["order_0001", "order_0002"] {
        merchant.sell_v3(&sim, order, NOWHERE).await;
    }
    sim.advance(HOUR).await;
    refund(&sim, &merchant, "order_0002", 500).await;
    sim.advance(26 * HOUR).await;
    (sim, merchant)
}

#[tokio::test]
async fn the_bill_of_a_day_is_there_from_ten_the_next() {
    let sim = Sim::start().await;
    let merchant = sim.merchant(0);
    merchant.sell_v3(&sim, "order_0001", NOWHERE).await;
    let mut said = Vec::new();
    for hours in [0, 17, 8, 2, 24 * 100] {
        sim.advance(hours * HOUR).await;
        said.push(match place(&sim, &merchant, BillType::All).await {
            Ok(_) => "there".to_owned(),
            Err(Error::Refused(refusal)) => refusal.code,
            Err(other) => panic!("{other}"),
        });
    }
    let creating = "STATEMENT_CREATING";
    let want = ["INVALID_REQUEST", creating, creating, "there", "INVALID_REQUEST"];
    assert_eq!(said, want);
}

#[tokio::test]
async fn the_bill_lists_what_was_paid_and_what_went_back() {
    let (sim, merchant) = a_day_later().await;
    let all = rows(&bill(&sim, &merchant, BillType::All).await);
    assert_eq!(
        all,
        [
            "order_0001 9.90 fee 0.06000",
            "order_0002 9.90 fee 0.06000",
            "order_0002 back R-order_0002 5.00 SUCCESS fee -0.03000",
            "3 19.80 5.00 0.09000"
        ]
    );
    let paid = rows(&bill(&sim, &merchant, BillType::Success).await);
    assert_eq!(paid.last().unwrap(), "2 19.80 0.00 0.12000");
    let back = rows(&bill(&sim, &merchant, BillType::Refund).await);
    assert_eq!(back.last().unwrap(), "1 0.00 5.00 -0.03000");
}

#[tokio::test]
async fn a_file_is_for_whoever_asked_and_for_five_minutes() {
    let (sim, merchant) = a_day_later().await;
    let place = place(&sim, &merchant, BillType::All).await.unwrap();
    let other = sim.merchant(1);
    let foreign = download(&sim, &v3::DownloadBill { account: other.v3(), place: &place }).await;
    let Err(Error::Refused(refusal)) = foreign else { panic!("{foreign:?}") };
    assert_eq!((refusal.status, refusal.code.as_str()), (403, "NO_AUTH"));
    sim.machine.pass(300);
    let late = download(&sim, &v3::DownloadBill { account: merchant.v3(), place: &place }).await;
    let Err(Error::Refused(refusal)) = late else { panic!("{late:?}") };
    assert_eq!((refusal.status, refusal.code.as_str()), (400, "INVALID_REQUEST"));
}

#[tokio::test]
async fn a_day_without_trade_has_no_bill() {
    let (sim, _) = a_day_later().await;
    let idle = sim.merchant(1);
    let none = place(&sim, &idle, BillType::All).await;
    let Err(Error::Refused(refusal)) = none else { panic!("{none:?}") };
    assert_eq!(refusal.code, "NO_STATEMENT_EXIST");
    let none = download(&sim, &v2_trade(&idle)).await.unwrap_err();
    assert!(v2::is_no_bill(&none), "{none}");
}

fn v2_trade(merchant: &Merchant) -> v2::DownloadBill<'_> {
    v2::DownloadBill {
        account: merchant.v2(SignType::Md5),
        app_id: &merchant.appid,
        sub_mch_id: None,
        bill_date: day(),
        bill_type: BillType::All,
    }
}

#[tokio::test]
async fn both_apis_give_the_same_file() {
    let (sim, merchant) = a_day_later().await;
    let over_v3 = bill(&sim, &merchant, BillType::All).await;
    let over_v2 = unpacked(&download(&sim, &v2_trade(&merchant)).await.unwrap());
    assert_eq!(over_v2, over_v3, "no free text here has a comma");
}

#[tokio::test]
async fn the_fund_flow_adds_up() {
    let (sim, merchant) = a_day_later().await;
    let ask = v3::AskFundFlowBill {
        account: merchant.v3(),
        bill_date: day(),
        account_type: AccountType::Basic,
    };
    let place = sim.ask(&ask).await.unwrap();
    let file = v3::DownloadBill { account: merchant.v3(), place: &place };
    let over_v3 = unpacked(&download(&sim, &file).await.unwrap());
    let call = v2::DownloadFundFlow {
        account: merchant.v2(SignType::Md5),
        app_id: &merchant.appid,
        bill_date: day(),
        account_type: AccountType::Basic,
    };
    sim.switch("v2_refund_wants_certificate", json!(false)).await;
    let over_v2 = unpacked(&download(&sim, &call).await.unwrap());
    for text in [over_v3, over_v2] {
        let mut bill = FundBill::open(text.as_bytes()).unwrap();
        let (mut came_in, mut went_out) = (0, 0);
        while let Some(row) = bill.next_row().unwrap() {
            *(if row.came_in { &mut came_in } else { &mut went_out }) += row.amount.get();
        }
        let totals = bill.totals().unwrap();
        assert_eq!((totals.amount_in.get(), totals.amount_out.get()), (came_in, went_out));
        // 9.90 twice; 0.06 of fees twice, and 5.00 less 0.03 that come back.
        assert_eq!((totals.count, came_in, went_out), (5, 1_980, 6 + 6 + 497));
    }
}

#[tokio::test]
async fn every_plant_is_in_the_bill_and_survives_a_restart() {
    let (sim, merchant) = a_day_later().await;
    let plant = async |plant: Value| {
        let mut body = json!({ "mchid": merchant.mchid, "bill_date": DAY });
        body.as_object_mut().unwrap().extend(plant.as_object().unwrap().clone());
        sim.control("bills", body).await
    };
    plant(json!({ "plant": "missing_payment", "out_trade_no": "order_0001" })).await;
    plant(json!({ "plant": "payment_amount", "out_trade_no": "order_0002", "amount": 991 })).await;
    plant(json!({ "plant": "fee", "out_trade_no": "order_0002", "fee": 12_345 })).await;
    plant(json!({ "plant": "unknown_payment", "out_trade_no": "nobody_0001", "amount": 100 }))
        .await;
    plant(json!({ "plant": "refund_amount", "out_refund_no": "R-order_0002", "amount": 501 }))
        .await;
    plant(json!({
        "plant": "unknown_refund", "out_refund_no": "R-nobody", "out_trade_no": "nobody_0001", "amount": 7,
    }))
    .await;
    let want = [
        "order_0002 9.91 fee 0.12345",
        "order_0002 back R-order_0002 5.01 SUCCESS fee -0.03000",
        "nobody_0001 1.00 fee 0.01000",
        "nobody_0001 back R-nobody 0.07 SUCCESS fee 0.00000",
        "4 10.91 5.08 0.10345",
    ];
    let mut got = rows(&bill(&sim, &merchant, BillType::All).await);
    let mut sorted = want.map(str::to_owned).to_vec();
    got.sort();
    sorted.sort();
    assert_eq!(got, sorted);

    let sim = sim.restart().await;
    let merchant = sim.merchant(0);
    sim.control("bills", json!({
        "mchid": merchant.mchid, "bill_date": DAY, "plant": "missing_refund", "out_refund_no": "R-order_0002",
    }))
    .await;
    let got = rows(&bill(&sim, &merchant, BillType::All).await);
    assert_eq!(got.last().unwrap(), "3 10.91 0.07 0.13345");
    let said = sim.post("/_sim/bills", json!({ "plant": "nothing" })).await;
    assert_eq!(said.status, 400, "{said:?}");
}
