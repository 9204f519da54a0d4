//! Bills made as text, with each kind of difference planted: all are found, and none is invented.

#![expect(clippy::arithmetic_side_effects, reason = "small numbers that a test makes up")]

use suanpan_wechat::bill::FundBill;
use suanpan_wechat::time::beijing_spaced;

use super::*;

/// 2026-01-01 in Beijing, in unix seconds.
const START: i64 = 1_767_196_800;
const END: i64 = START + 86_400;

const HEADING: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// A line to be: a payment, or a refund of it.
#[derive(Clone, Debug)]
struct Line {
    number: String,
    transaction: String,
    total: i64,
    back: Option<(String, i64)>,
    fee: i64,
    time: i64,
}

fn payment(nth: usize) -> Line {
    let total = 100 + i64::try_from(nth % 9_000).unwrap();
    Line {
        number: format!("tea-{nth:08}"),
        transaction: format!("4200{nth:024}"),
        total,
        back: None,
        fee: (total * 6 + 500) / 1000 * 1000,
        time: START + i64::try_from(nth % 80_000).unwrap(),
    }
}

fn refund(nth: usize) -> Line {
    let paid = payment(nth);
    Line { back: Some((format!("R-{nth:08}"), 50)), fee: 0, total: 0, ..paid }
}

fn yuan(fen: i64) -> String {
    Fen::new(fen).unwrap().to_string()
}

fn trade(lines: &[Line]) -> String {
    let mut text = format!("{HEADING}\r\n");
    let (mut total, mut refunded, mut fee) = (0, 0, 0);
    for line in lines {
        let state = if line.back.is_some() { "REFUND" } else { "SUCCESS" };
        let (number, back) = line.back.clone().unwrap_or_else(|| ("0".to_owned(), 0));
        (total, refunded, fee) = (total + line.total, refunded + back, fee + line.fee);
        text.push_str(&format!(
            "`{},`wx8888888888888888,`1900000109,`0,`,`{},`{},`o1,`JSAPI,`{state},`OTHERS,`CNY,`{},`0.00,`W{number},`{number},`{},`0.00,`,`SUCCESS,`茶, 一杯,`,`{},`0.60%,`{},`{},`\r\n",
            beijing_spaced(line.time), line.transaction, line.number, yuan(line.total), yuan(back),
            Fee::new(line.fee), yuan(line.total), yuan(back),
        ));
    }
    let fee = Fee::new(fee);
    text.push_str(&format!(
        "{TOTALS}\r\n`{},`{t},`{r},`0.00,`{fee},`{t},`{r}\r\n",
        lines.len(),
        t = yuan(total),
        r = yuan(refunded),
    ));
    text
}

/// The purse, as it should be by these lines.
fn fund(lines: &[Line]) -> String {
    let mut text = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n".to_owned();
    let (mut count, mut sums) = (0, [0, 0]);
    let mut row = |time: i64, number: &str, kind: &str, came_in: bool, fen: i64| {
        if fen == 0 {
            return;
        }
        count += 1;
        sums[usize::from(came_in)] += fen;
        let direction = if came_in { "收入" } else { "支出" };
        text.push_str(&format!(
            "`{},`{number},`1,`{kind},`{kind},`{direction},`{},`0.00,`system,`,`\r\n",
            beijing_spaced(time),
            yuan(fen)
        ));
    };
    for line in lines {
        match &line.back {
            None => {
                row(line.time, &line.transaction, "交易", true, line.total);
                row(line.time, &line.transaction, "扣除交易手续费", false, line.fee / 1000);
            }
            Some((number, back)) => row(line.time, &format!("W{number}"), "退款", false, *back),
        }
    }
    let [out, came_in] = sums;
    text.push_str(&format!(
        "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`{count},`0,`{},`0,`{}\r\n",
        yuan(came_in),
        yuan(out)
    ));
    text
}

fn book(lines: &[Line]) -> Book {
    let mut book = Book::default();
    for line in lines {
        match &line.back {
            None => {
                book.payment(&line.number, &line.transaction, Fen::new(line.total).unwrap());
            }
            Some((number, back)) => book.refund(number, Fen::new(*back).unwrap()),
        }
    }
    book
}

/// What a pass finds, in short.
fn pass(book: &mut Book, text: &str, purse: &mut Purse) -> (Theirs, Vec<String>) {
    let mut found = Vec::new();
    let mut bill = TradeBill::open(text.as_bytes()).unwrap();
    let theirs = book.pass(&mut bill, purse, |finding| found.push(short(&finding))).unwrap();
    found.sort();
    (theirs, found)
}

fn short(finding: &Finding) -> String {
    match finding {
        Finding::Payment(billed) => format!("payment {}", billed.number()),
        Finding::Refund(billed) => format!("refund {}", billed.number()),
        Finding::Twice(billed) => format!("twice {}", billed.number()),
        Finding::Amount { billed, ours } => {
            format!("amount {} {} not {ours}", billed.number(), billed.total)
        }
        Finding::RefundAmount { billed, ours } => format!("back {} not {ours}", billed.number()),
        Finding::Fee { billed, expected } => format!("fee {} not {expected}", billed.number()),
        Finding::Unreadable { line, .. } => format!("unreadable {line}"),
    }
}

#[test]
fn a_day_that_agrees_says_nothing() {
    let lines: Vec<_> = (0..500).map(payment).chain((0..20).map(refund)).collect();
    let (mut book, mut purse) = (book(&lines), Purse::default());
    let (theirs, found) = pass(&mut book, &trade(&lines), &mut purse);
    assert_eq!(found, Vec::<String>::new());
    assert!(theirs.adds_up() && book.is_all_listed());
    assert_eq!((theirs.payments, theirs.refunds, theirs.refunded), (500, 20, 1000));
    let fund = fund(&lines);
    let flows = purse.pass(&mut FundBill::open(fund.as_bytes()).unwrap(), START, END).unwrap();
    assert_eq!((flows.differing, flows.surplus), (0, 0));
}

#[test]
fn a_day_without_anything_agrees() {
    let (mut book, mut purse) = (Book::default(), Purse::default());
    let (theirs, found) = pass(&mut book, &trade(&[]), &mut purse);
    assert_eq!((theirs, found.len()), (Theirs::default(), 0));
    assert!(book.is_all_listed());
}

/// A hundred thousand lines, and each kind of difference ten times, at other places each time.
#[test]
fn all_that_is_planted_in_a_hundred_thousand_lines_is_found_and_nothing_else() {
    let (payments, refunds) = (95_000, 5_000);
    let ours: Vec<_> = (0..payments).map(payment).chain((0..refunds).map(refund)).collect();
    let mut bill = ours.clone();
    let mut want = Vec::new();
    let at = |kind: usize, nth: usize| 7 + kind * 9_001 + nth * 613;
    for nth in 0..10 {
        // Amounts of payments and fees, of refunds, and numbers under which another transaction stands.
        let line = &mut bill[at(0, nth)];
        (line.total, line.fee) = (line.total + 1, ((line.total + 1) * 6 + 500) / 1000 * 1000);
        want.push(format!(
            "amount {} {} not {}",
            line.number,
            yuan(line.total),
            yuan(line.total - 1)
        ));
        let line = &mut bill[at(1, nth)];
        want.push(format!("fee {} not {}", line.number, Fee::new(line.fee)));
        line.fee += 1_000;
        let line = &mut bill[payments + 11 + nth * 401];
        let (number, back) = line.back.as_mut().unwrap();
        want.push(format!("back {number} not {}", yuan(*back)));
        *back -= 1;
        let line = &mut bill[at(2, nth)];
        line.transaction.replace_range(0..4, "4300");
        want.push(format!("payment {}", line.number));
        // What nobody here knows, and what is listed twice.
        let stranger = Line { number: format!("nobody-{nth}"), ..payment(at(3, nth)) };
        want.push(format!("payment {}", stranger.number));
        let back = Line { back: Some((format!("R-nobody-{nth}"), 7)), ..refund(nth) };
        want.push(format!("refund R-nobody-{nth}"));
        let twice = payment(at(4, nth));
        want.push(format!("twice {}", twice.number));
        bill.extend([stranger, back, twice]);
    }
    // What the bill leaves out.
    let gone: Vec<usize> = (0..10)
        .map(|nth| at(5, nth))
        .chain((0..10).map(|nth| payments + 3_000 + nth * 97))
        .collect();
    let mut nth = 0;
    bill.retain(|_| {
        nth += 1;
        !gone.contains(&(nth - 1))
    });
    want.sort();

    let (mut book, mut purse) = (book(&ours), Purse::default());
    let text = trade(&bill);
    let (theirs, found) = pass(&mut book, &text, &mut purse);
    assert_eq!(found, want);
    assert!(theirs.adds_up());
    let missing: Vec<usize> = (0..ours.len())
        .filter(|nth| match &ours[*nth].back {
            None => !book.lists_payment(&ours[*nth].number),
            Some((number, _)) => !book.lists_refund(number),
        })
        .collect();
    let changed = (0..10).map(|nth| at(2, nth));
    let mut unlisted: Vec<_> = gone.iter().copied().chain(changed).collect();
    unlisted.sort_unstable();
    assert_eq!(missing, unlisted);

    // The purse had what we hold: amounts, fees, refunds, transactions, what is unknown, twice, and missing on each side.
    let fund = fund(&ours);
    let flows = purse.pass(&mut FundBill::open(fund.as_bytes()).unwrap(), START, END).unwrap();
    assert!(0 < flows.differing);
    let named = purse.examples(&mut TradeBill::open(text.as_bytes()).unwrap(), END).unwrap();
    assert_eq!(named.len(), 5);
}

#[test]
fn a_line_that_cannot_be_read_is_told_and_the_rest_is_compared() {
    let lines: Vec<_> = (0..3).map(payment).collect();
    let text = trade(&lines).replacen("`SUCCESS", "`PERHAPS", 1);
    let mut book = book(&lines);
    let (theirs, found) = pass(&mut book, &text, &mut Purse::default());
    assert_eq!(found, ["unreadable 2"]);
    assert_eq!((theirs.payments, theirs.unreadable, theirs.adds_up()), (2, 1, true));
    assert!(!book.is_all_listed());
}

#[test]
fn a_bill_that_was_cut_is_no_bill() {
    let text = trade(&[payment(1), payment(2)]);
    let (cut, _) = text.split_once(TOTALS).unwrap();
    let mut bill = TradeBill::open(cut.as_bytes()).unwrap();
    let error = Book::default().pass(&mut bill, &mut Purse::default(), |_| {}).unwrap_err();
    assert_eq!(error.code(), "SP-BILL-CUT");
}

#[test]
fn totals_that_are_not_those_of_the_lines_are_seen() {
    let lines: Vec<_> = (0..3).map(payment).collect();
    let text = trade(&lines);
    let totals = text.lines().last().unwrap();
    let wrong = totals.replacen("`3.03", "`3.04", 2);
    assert_ne!(totals, wrong);
    let (theirs, _) = pass(&mut book(&lines), &text.replace(totals, &wrong), &mut Purse::default());
    assert!(!theirs.adds_up());
}

#[test]
fn what_is_booked_around_midnight_is_no_difference() {
    let last = Line { time: END - 1, ..payment(1) };
    let first = Line { time: START + 1, ..payment(2) };
    let mut purse = Purse::default();
    pass(&mut Book::default(), &trade(std::slice::from_ref(&last)), &mut purse);
    // The last payment of the day before is booked today, and the last one of today tomorrow.
    let fund = fund(&[first]);
    let flows = purse.pass(&mut FundBill::open(fund.as_bytes()).unwrap(), START, END).unwrap();
    assert_eq!((flows.differing, flows.surplus), (0, 0));
    // At noon both are missed.
    let noon = |nth| Line { time: START + 43_200, ..payment(nth) };
    let mut purse = Purse::default();
    pass(&mut Book::default(), &trade(&[noon(1)]), &mut purse);
    let fund = self::fund(&[noon(2)]);
    let flows = purse.pass(&mut FundBill::open(fund.as_bytes()).unwrap(), START, END).unwrap();
    assert_eq!((flows.differing, flows.surplus), (2, 1_000));
}
