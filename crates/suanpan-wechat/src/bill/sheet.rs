//! The layout that all bills share: heading, rows with back-ticks, heading of the totals, totals.

use std::io::BufRead;

use super::BillError;

/// A longer line is no line of a bill: free text has at most a few hundred bytes.
const MAX_LINE: u64 = 64 << 10;
/// The columns of free text, which WeChat writes side by side; only these can hold what looks like the end of a value.
const FREE_TEXT: &str = "商品名称";

/// A bill, line by line.
#[derive(Debug)]
pub(super) struct Sheet<R> {
    lines: Lines<R>,
    heading: Heading,
    rows: u64,
}

/// What a line of a sheet is.
#[derive(Debug)]
pub(super) enum Line<'a> {
    /// A row, value by value, in the order of the heading.
    Row(Row<'a>),
    /// The totals, and the heading that names them.
    Totals(Heading, Vec<String>),
}

/// The values of a row, without their back-ticks.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) line: u64,
    values: Vec<&'a str>,
}

/// The names of the columns.
#[derive(Clone, Debug)]
pub(super) struct Heading(Vec<String>);

impl<R: BufRead> Sheet<R> {
    /// Reads the heading.
    pub(super) fn open(reader: R) -> Result<Self, BillError> {
        let mut lines = Lines { reader, line: Vec::new(), number: 0 };
        let heading = Heading::parse(lines.next()?.unwrap_or_default());
        Ok(Self { lines, heading, rows: 0 })
    }

    pub(super) const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// How many rows were read.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row, or the totals behind the last one.
    pub(super) fn next(&mut self) -> Result<Line<'_>, BillError> {
        match self.lines.peek()? {
            None => return Err(BillError::Cut { why: "it ends without totals".to_owned() }),
            Some(b'`') => {}
            Some(_) => return self.totals(),
        }
        self.rows = self.rows.saturating_add(1);
        let line = self.lines.number.saturating_add(1);
        let text = self.lines.next()?.unwrap_or_default();
        match split(text, &self.heading) {
            Some(values) => Ok(Line::Row(Row { line, values })),
            None => Err(BillError::line(line, "it has fewer values than the heading has columns")),
        }
    }

    fn totals(&mut self) -> Result<Line<'_>, BillError> {
        let heading = Heading::parse(self.lines.next()?.unwrap_or_default());
        let Some(text) = self.lines.next()? else {
            return Err(BillError::Cut { why: "it ends before its totals".to_owned() });
        };
        let values = text.split(',').map(|value| value.trim_start_matches('`').to_owned());
        let values: Vec<_> = values.collect();
        if values.len() < heading.0.len() {
            return Err(BillError::Cut { why: "it ends within its totals".to_owned() });
        }
        Ok(Line::Totals(heading, values))
    }
}

/// Whether as many rows came as the totals count.
pub(super) fn whole(rows: u64, counted: u64) -> Result<(), BillError> {
    if rows == counted {
        return Ok(());
    }
    Err(BillError::Cut { why: format!("{rows} rows were read, and it counts {counted}") })
}

/// The values of a row; those that are too many belong to the free text. `None`: they are too few.
fn split<'a>(text: &'a str, heading: &Heading) -> Option<Vec<&'a str>> {
    let text = text.strip_prefix('`').unwrap_or(text);
    let values: Vec<&str> = text.split(",`").collect();
    let surplus = values.len().checked_sub(heading.0.len())?;
    if surplus == 0 {
        return Some(values);
    }
    let free = heading.position(FREE_TEXT)?;
    let (before, rest) = values.split_at_checked(free)?;
    let (torn, behind) = rest.split_at_checked(surplus.checked_add(1)?)?;
    let (first, last) = (torn.first()?, torn.last()?);
    let start = first.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = last.as_ptr().addr().checked_sub(text.as_ptr().addr())?.checked_add(last.len())?;
    Some([before, &[text.get(start..end)?], behind].concat())
}

impl Heading {
    fn parse(text: &str) -> Self {
        Self(text.split(',').map(|name| name.trim_matches(['`', ' ']).to_owned()).collect())
    }

    /// Where the column of this name is.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| column == name)
    }

    /// The first of these names that there is: old merchants' bills have other names for the same.
    pub(super) fn any(&self, names: &[&'static str]) -> Option<usize> {
        names.iter().find_map(|name| self.position(name))
    }

    /// Where a column is that cannot be done without, under its first name.
    pub(super) fn needed(&self, names: &[&'static str]) -> Result<usize, BillError> {
        self.any(names).ok_or_else(|| BillError::Column {
            column: names.first().copied().unwrap_or_default(),
            heading: self.0.join(",").chars().take(120).collect(),
        })
    }
}

impl<'a> Row<'a> {
    /// The value at a position of the heading; empty where there is no such column.
    pub(super) fn get(&self, position: Option<usize>) -> &'a str {
        position.and_then(|position| self.values.get(position)).copied().unwrap_or_default()
    }

    /// Reads a value, and says which one it was if it cannot be read.
    pub(super) fn read<T>(
        &self,
        position: Option<usize>,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, BillError> {
        let value = self.get(position);
        read(value).ok_or_else(|| BillError::line(self.line, format!("{what} is {value:?}")))
    }
}

/// Lines in UTF-8, ended by CRLF or LF.
#[derive(Debug)]
struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The first byte of the next line.
    fn peek(&mut self) -> Result<Option<u8>, BillError> {
        Ok(self.reader.fill_buf().map_err(BillError::Read)?.first().copied())
    }

    fn next(&mut self) -> Result<Option<&str>, BillError> {
        self.line.clear();
        let mut some = std::io::Read::take(&mut self.reader, MAX_LINE);
        let read = some.read_until(b'\n', &mut self.line).map_err(BillError::Read)?;
        self.number = self.number.saturating_add(1);
        if read == 0 {
            return Ok(None);
        }
        if u64::try_from(read) == Ok(MAX_LINE) && !self.line.ends_with(b"\n") {
            self.reader.skip_until(b'\n').map_err(BillError::Read)?;
            return Err(BillError::line(self.number, "it is longer than 64 KiB"));
        }
        let text = str::from_utf8(&self.line)
            .map_err(|_| BillError::line(self.number, "it is not UTF-8"))?;
        let text = if self.number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        Ok(Some(text.trim_end_matches(['\r', '\n'])))
    }
}
