//! The files of bills, and the calls that bring them.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use suanpan_wechat::bill::{
    AccountType, BillDate, BillError, BillHash, BillType, Fee, FundBill, TradeBill, TradeState,
};
use suanpan_wechat::{AppId, Call as _, Download as _, Error, MchId, Reply, v2, v3};

use crate::common::{
    key_ring, moment, nonce, number, optional, signer, text, v2_key, v3_key, vector_file, vectors,
};

const NOW: i64 = 1_795_500_000;
const HEADING: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

#[test]
fn every_vector_is_read_as_it_was_made() {
    let mut rows = 0;
    for vector in vectors(vector_file!("bill.json"), 4) {
        let plain = text(&vector, "given/text");
        if let Some(want) = optional(&vector, "want/sha1_of_uncompressed") {
            let mut hash = BillHash::new();
            hash.update(plain.as_bytes());
            assert_eq!(hash.finish(), want, "{}", vector["id"]);
        }
        if let Some(packed) = optional(&vector, "given/gzip") {
            let packed = STANDARD.decode(packed).unwrap();
            let mut unpacked = String::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain, "the digest is of what comes out");
        }
        if vector.pointer("/want/rows").is_some() {
            let mut bill = TradeBill::open(plain.as_bytes()).unwrap();
            let row = bill.next_row().unwrap().unwrap();
            assert_eq!(row.description, text(&vector, "want/row0_product"));
            assert_eq!(row.total.get(), number(&vector, "want/row0_order_amount_fen"));
            assert_eq!((row.state, row.refund), (TradeState::Success, None));
            let row = bill.next_row().unwrap().unwrap();
            let refund = row.refund.unwrap();
            assert_eq!(refund.amount.get(), number(&vector, "want/row1_refund_fen"));
            assert_eq!(refund.out_refund_no, text(&vector, "want/row1_out_refund_no"));
            assert!(bill.next_row().unwrap().is_none());
            let totals = bill.totals().unwrap();
            assert_eq!(i64::try_from(totals.count).unwrap(), number(&vector, "want/total_rows"));
            rows += 1;
        }
    }
    assert_eq!(rows, 1, "vectors with rows");
}

#[test]
fn columns_are_found_by_their_names_wherever_they_stand() {
    let old = "\u{feff}商户订单号,总金额,交易状态,微信订单号,交易时间,企业红包金额\n\
        `tea-1,`9.90,`SUCCESS,`42,`2014-11-10 16:33:45,`0.00\n\
        总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\n`1,`9.90,`0.0,`0.0,`0.06\n";
    let mut bill = TradeBill::open(old.as_bytes()).unwrap();
    let row = bill.next_row().unwrap().unwrap();
    assert_eq!((row.out_trade_no, row.transaction_id, row.total.get()), ("tea-1", "42", 990));
    assert_eq!(row.time, 1_415_608_425);
    assert!(bill.next_row().unwrap().is_none());
    let totals = bill.totals().unwrap();
    assert_eq!((totals.total.get(), totals.fee), (990, Fee::new(6_000)));
    assert!(bill.next_row().unwrap().is_none(), "and stays at its end");
}

/// A row of a payment with this free text.
fn row(number: &str, description: &str, attach: &str) -> String {
    format!(
        "`2026-11-23 10:03:08,`wx1,`19,`0,`,`42{number},`{number},`o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`1.00,`0.00,`0,`0,`0.00,`0.00,`,`,`{description},`{attach},`0.01000,`0.60%,`1.00,`0.00,`\r\n"
    )
}

fn bill(rows: &[String], count: usize) -> String {
    format!(
        "{HEADING}\r\n{}{TOTALS}\r\n`{count},`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\r\n",
        rows.concat()
    )
}

#[test]
fn free_text_may_hold_what_ends_a_value() {
    let text = bill(&[row("a", "tea,`red,`hot", "{\"k\":1}"), row("b", "a`b,c", "")], 2);
    let mut bill = TradeBill::open(text.as_bytes()).unwrap();
    let first = bill.next_row().unwrap().unwrap();
    assert_eq!((first.description, first.attach), ("tea,`red,`hot", "{\"k\":1}"));
    assert_eq!((first.fee, first.rate, first.total.get()), (Fee::new(1_000), "0.60%", 100));
    let second = bill.next_row().unwrap().unwrap();
    assert_eq!((second.description, second.attach), ("a`b,c", ""));
}

#[test]
fn a_bad_line_is_named_and_those_behind_it_are_read() {
    let bad = [
        row("a", "x", "y").replace("10:03:08", "25:03:08"),
        row("b", "x", "y").replace("SUCCESS", "SUCCEEDED"),
        row("c", "x", "y").replace("`1.00,`0.00,`\r", "`1.001,`0.00,`\r"),
        "`2026-11-23 10:03:08,`wx1\r\n".to_owned(),
        format!("`{}\r\n", "x".repeat(70_000)),
        row("d", "x", "y"),
    ];
    let text = bill(&bad, 6);
    let mut bill = TradeBill::open(text.as_bytes()).unwrap();
    let mut said = Vec::new();
    loop {
        match bill.next_row() {
            Ok(None) => break,
            Ok(Some(row)) => said.push(format!("read {}", row.out_trade_no)),
            Err(error) => said.push(error.to_string()),
        }
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    line 2 of the bill cannot be read: 交易时间 is "2026-11-23 25:03:08"
    line 3 of the bill cannot be read: 交易状态 is "SUCCEEDED"
    line 4 of the bill cannot be read: 订单金额 is "1.001"
    line 5 of the bill cannot be read: it has fewer values than the heading has columns
    line 6 of the bill cannot be read: it is longer than 64 KiB
    read d
    "#);
}

#[test]
fn a_bill_that_was_cut_is_not_whole() {
    let whole = bill(&[row("a", "x", "y"), row("b", "x", "y")], 2);
    let heading_ends = whole.find('\n').unwrap() + 1;
    let last = whole.trim_end().len();
    for end in (heading_ends..last).filter(|end| whole.is_char_boundary(*end)) {
        let mut cut = TradeBill::open(&whole.as_bytes()[..end]).unwrap();
        let mut errors = 0;
        // What ends in the middle of its last sum may read as another sum: WeChat's digest is for that.
        let in_the_last_sum =
            whole[..end].rsplit_once('\n').is_some_and(|(_, line)| line.starts_with("`2,"));
        loop {
            match cut.next_row() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(BillError::Line { .. }) => errors += 1,
                Err(_) => {
                    errors += 1;
                    break;
                }
            }
        }
        assert!(errors > 0 || in_the_last_sum, "cut at {end} of {last}");
    }
    let short = bill(&[row("a", "x", "y")], 2);
    let mut bill = TradeBill::open(short.as_bytes()).unwrap();
    assert!(bill.next_row().unwrap().is_some());
    assert_eq!(bill.next_row().unwrap_err().code(), "SP-BILL-CUT");
}

#[test]
fn what_is_no_bill_is_refused_by_its_heading() {
    for text in ["", "<xml></xml>", "{\"code\":\"X\"}", "记账时间,收支类型\r\n"] {
        assert_eq!(
            TradeBill::open(text.as_bytes()).unwrap_err().code(),
            "SP-BILL-COLUMN",
            "{text}"
        );
    }
}

#[test]
fn the_fund_flow_bill_is_read_in_both_spellings() {
    for amount in ["收支金额(元)", "收支金额（元）"] {
        let text = format!(
            "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,{amount},账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n\
             `2026-11-23 10:03:08,`42,`91,`交易,`交易,`收入,`9.90,`100.00,`system,`,`\r\n\
             `2026-11-23 11:03:08,`50,`92,`退款,`退款,`支出,`1.00,`99.00,`19API,`退款总金额1.00元,`R1\r\n\
             资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`2.0,`1.0,`9.90,`1.0,`1.00\r\n"
        );
        let mut bill = FundBill::open(text.as_bytes()).unwrap();
        let row = bill.next_row().unwrap().unwrap();
        assert_eq!((row.came_in, row.amount.get(), row.business_id), (true, 990, "42"));
        let row = bill.next_row().unwrap().unwrap();
        assert_eq!((row.came_in, row.balance.get(), row.voucher), (false, 9_900, "R1"));
        assert!(bill.next_row().unwrap().is_none());
        let totals = bill.totals().unwrap();
        assert_eq!((totals.count, totals.amount_in.get(), totals.count_out), (2, 990, 1));
    }
}

#[test]
fn a_day_is_a_day_in_beijing() {
    let day: BillDate = "2026-11-23".parse().unwrap();
    // `TZ=Asia/Shanghai date -d 2026-11-23 +%s`
    assert_eq!(day.start(), 1_795_363_200);
    assert_eq!(BillDate::of(day.start()), Some(day));
    assert_eq!(BillDate::of(day.start() - 1), day.yesterday());
    assert_eq!((day.compact().as_str(), day.to_string().as_str()), ("20261123", "2026-11-23"));
    for text in ["2026-11-31", "20261123", "2026-1-1", "", "2026-11-23T00:00"] {
        assert!(text.parse::<BillDate>().is_err(), "{text}");
    }
}

#[test]
fn bills_are_asked_for_as_documented() {
    let (signer, keys, key) =
        (signer("merchant-1"), key_ring("platform-1"), v3_key("ThrowawayApiV3Key_0123456789abcd"));
    let account = v3::Account { signer: &signer, keys: &keys, api_v3_key: &key };
    let nonce = nonce("n");
    let bill_date = "2026-11-23".parse().unwrap();
    let sub = MchId::parse("1900000110").unwrap();
    let trade =
        v3::AskTradeBill { account, bill_date, sub_mchid: Some(&sub), bill_type: BillType::All };
    assert_eq!(
        trade.request(moment(NOW, &nonce)).unwrap().uri(),
        "/v3/bill/tradebill?bill_date=2026-11-23&bill_type=ALL&tar_type=GZIP&sub_mchid=1900000110"
    );
    let fund = v3::AskFundFlowBill { account, bill_date, account_type: AccountType::Fees };
    assert_eq!(
        fund.request(moment(NOW, &nonce)).unwrap().uri(),
        "/v3/bill/fundflowbill?bill_date=2026-11-23&account_type=FEES&tar_type=GZIP"
    );
    let place = v3::BillPlace {
        hash_type: "SHA1".to_owned(),
        hash_value: String::new(),
        download_url: "https://elsewhere.example/v3/billdownload/file?token=a&tartype=gzip"
            .to_owned(),
    };
    let file = v3::DownloadBill { account, place: &place };
    let request = file.request(moment(NOW, &nonce)).unwrap();
    assert_eq!(request.uri(), "/v3/billdownload/file?token=a&tartype=gzip", "no host but WeChat's");
    assert!(file.is_file(200, b"\x1f\x8b") && !file.is_file(400, b"{"));
}

#[test]
fn a_bill_of_apiv2_is_a_file_or_an_xml_refusal() {
    let (mch_id, key) =
        (MchId::parse("10000100").unwrap(), v2_key("192006250b4c09247ec02edce69f6a2d"));
    let account = v2::Account { mch_id: &mch_id, key: &key, sign_type: v2::SignType::Md5 };
    let app_id = AppId::parse("wx2421b1c4370ec43b").unwrap();
    let bill_date = "2026-11-23".parse().unwrap();
    let call = v2::DownloadBill {
        account,
        app_id: &app_id,
        sub_mch_id: None,
        bill_date,
        bill_type: BillType::All,
    };
    let nonce = nonce("n");
    let body = call.request(moment(NOW, &nonce)).unwrap().into_body();
    let fields = v2::Fields::parse(&body).unwrap();
    assert_eq!((fields.get("bill_date"), fields.get("tar_type")), (Some("20261123"), Some("GZIP")));
    fields.verify(v2::SignType::Md5, &key).unwrap();

    assert!(call.is_file(200, b"\x1f\x8b\x08") && call.is_file(200, "\u{feff}交".as_bytes()));
    let none = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[No Bill Exist]]></return_msg><error_code><![CDATA[20002]]></error_code></xml>";
    assert!(!call.is_file(200, none.as_bytes()));
    let headers = http::HeaderMap::new();
    let refused =
        |body: &str| call.refused(Reply { status: 200, headers: &headers, body: body.as_bytes() });
    assert!(v2::is_no_bill(&refused(none)));
    assert!(v2::is_no_bill(&refused(&none.replace("No Bill Exist", "NO Bill Exist"))));
    assert!(v2::is_bill_creating(&refused(&none.replace("No Bill Exist", "Bill Creating"))));
    let other = refused(&none.replace("No Bill Exist", "SIGN ERROR"));
    assert!(!v2::is_no_bill(&other) && matches!(other, Error::Refused(_)), "{other}");

    let fund = v2::DownloadFundFlow {
        account,
        app_id: &app_id,
        bill_date,
        account_type: AccountType::Basic,
    };
    let body = fund.request(moment(NOW, &nonce)).unwrap().into_body();
    let fields = v2::Fields::parse(&body).unwrap();
    fields.verify(v2::SignType::HmacSha256, &key).unwrap();
    assert!(fund.shows_certificate());
}
