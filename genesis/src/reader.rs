//! Reads TOML and keeps every mistake: syntax, missing and unknown keys, values of the wrong form.
//!
//! A [`Section`] is one table. Asking it for a key marks the key as known; [`Section::finish`] reports every
//! other key with the nearest known name. What could not be read comes back as `None` and is noted, so that the
//! caller goes on to the next value and the reader of the file sees all mistakes in one go.

use std::collections::BTreeSet;

use tanba_ledger::{Day, Timestamp};
use toml::de::{DeTable, DeValue};

use crate::{
    mistake::Notes,
    nearest::nearest,
    text::{self, Words},
};

/// A key and an example of its value, as a remedy would write it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// A value in TOML, good enough to copy.
    pub example: &'static str,
}

/// Names a key and gives an example of its value.
pub const fn field(name: &'static str, example: &'static str) -> Field {
    Field { name, example }
}

/// Parses a text into its root table, noting every syntax mistake.
pub fn parse<'t>(text: &'t str, notes: &mut Notes) -> DeTable<'t> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let (what, span) = (format!("this is not TOML: {}", error.message()), error.span().unwrap_or(0..0));
        let remedy = "mend the syntax here (see https://toml.io/en/v1.0.0)".to_owned();
        notes.add_at(span, String::new(), what, remedy);
    }
    table.into_inner()
}

/// One table of the text.
#[derive(Debug)]
pub struct Section<'t> {
    table: &'t DeTable<'t>,
    path: String,
    known: BTreeSet<&'static str>,
}

impl<'t> Section<'t> {
    /// The root table.
    pub fn root(table: &'t DeTable<'t>) -> Section<'t> {
        Section { table, path: String::new(), known: BTreeSet::new() }
    }

    /// The table's own path; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key of this table.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A value that may be absent. `None`: there, but unreadable (noted). `Some(None)`: absent.
    pub fn optional<T>(
        &mut self,
        notes: &mut Notes,
        field: Field,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, String>,
    ) -> Option<Option<T>> {
        self.known.insert(field.name);
        let Some(value) = self.table.get(field.name) else { return Some(None) };
        let path = self.path_of(field.name);
        notes.place(&path, value.span());
        match read(value.get_ref()) {
            Ok(value) => Some(Some(value)),
            Err(what) => {
                notes.add(path, what, format!("write it like {} = {}", field.name, field.example));
                None
            }
        }
    }

    /// A value that must be there. `None`: absent or unreadable (noted).
    pub fn required<T>(
        &mut self,
        notes: &mut Notes,
        field: Field,
        read: impl FnOnce(&DeValue<'t>) -> Result<T, String>,
    ) -> Option<T> {
        let found = self.optional(notes, field, read)?;
        if found.is_none() {
            let remedy = format!("add {} = {}", field.name, field.example);
            notes.add(self.path_of(field.name), "the value is missing", remedy);
        }
        found
    }

    /// A table below this one. `None`: absent, or no table (noted).
    pub fn section(&mut self, notes: &mut Notes, name: &'static str) -> Option<Section<'t>> {
        self.known.insert(name);
        let value = self.table.get(name)?;
        let path = self.path_of(name);
        notes.place(&path, value.span());
        match value.get_ref() {
            DeValue::Table(table) => Some(Section { table, path, known: BTreeSet::new() }),
            other => {
                let what = format!("a table is due here, not {}", kind_of(other));
                notes.add(path.as_str(), what, format!("write a section [{path}]"));
                None
            }
        }
    }

    /// The tables of a list, at most `count_max`; more are noted and left unread.
    pub fn sections(&mut self, notes: &mut Notes, name: &'static str, count_max: usize) -> Vec<Section<'t>> {
        self.known.insert(name);
        let Some(value) = self.table.get(name) else { return Vec::new() };
        let path = self.path_of(name);
        notes.place(&path, value.span());
        let DeValue::Array(items) = value.get_ref() else {
            let what = format!("a list of tables is due here, not {}", kind_of(value.get_ref()));
            notes.add(path, what, format!("write one section [[{}]] for each", self.path_of(name)));
            return Vec::new();
        };
        if items.len() > count_max {
            let what = format!("{} entries, the limit is {count_max}", items.len());
            notes.add(path.as_str(), what, "take the surplus out");
        }
        let mut sections = Vec::new();
        for (i, item) in items.iter().take(count_max).enumerate() {
            let path = format!("{path}[{i}]");
            notes.place(&path, item.span());
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section { table, path, known: BTreeSet::new() }),
                other => {
                    let what = format!("a table is due here, not {}", kind_of(other));
                    notes.add(path, what, format!("write one section [[{}]] for each", self.path_of(name)));
                }
            }
        }
        sections
    }

    /// Notes every key that was never asked for, with the nearest that was.
    pub fn finish(self, notes: &mut Notes) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(name) {
                continue;
            }
            let remedy = match nearest(name, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", Vec::from_iter(self.known.iter().copied()).join(", ")),
            };
            notes.add_at(key.span(), self.path_of(name), "unknown key".to_owned(), remedy);
        }
    }
}

/// What a value is, with its article.
pub fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A text.
pub fn text(value: &DeValue<'_>) -> Result<String, String> {
    text_as(|text| Some(text.to_owned()), "a text")(value)
}

/// A text that `parse` understands; `due` names what is expected, with its article.
pub fn text_as<'d, T>(
    parse: impl Fn(&str) -> Option<T> + 'd,
    due: &'d str,
) -> impl Fn(&DeValue<'_>) -> Result<T, String> + 'd {
    move |value| match value {
        DeValue::String(text) => parse(text).ok_or_else(|| format!("{due} is due here, not {text:?}")),
        other => Err(format!("{due} is due here, not {}", kind_of(other))),
    }
}

/// One word of a table.
pub fn word<T: Copy>(words: Words<T>) -> impl Fn(&DeValue<'_>) -> Result<T, String> {
    move |value| {
        let DeValue::String(word) = value else {
            return Err(format!("one of {} is due here, not {}", text::list(words), kind_of(value)));
        };
        text::value_of(words, word).ok_or_else(|| {
            let near = nearest(word, words.iter().map(|(known, _)| *known));
            let hint = near.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"));
            format!("{word:?} is none of {}{hint}", text::list(words))
        })
    }
}

/// A whole number of at least zero.
pub fn integer<T: TryFrom<u64>>(value: &DeValue<'_>) -> Result<T, String> {
    let bits = size_of::<T>() * 8;
    let due = || format!("a whole number of at least 0 and at most {bits} bits is due here");
    let DeValue::Integer(number) = value else { return Err(format!("{}, not {}", due(), kind_of(value))) };
    let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
    parsed.and_then(|n| T::try_from(n).ok()).ok_or_else(|| format!("{}, not {number}", due()))
}

/// A list of texts.
pub fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let DeValue::Array(items) = value else {
        return Err(format!("a list of texts is due here, not {}", kind_of(value)));
    };
    items.iter().map(|item| text(item.get_ref())).collect()
}

/// A date without a time: `2026-09-01`.
pub fn day(value: &DeValue<'_>) -> Result<Day, String> {
    let DeValue::Datetime(found) = value else {
        return Err(format!("a date is due here, not {}", kind_of(value)));
    };
    let (Some(date), None) = (found.date, found.time) else {
        return Err(format!("a date without a time is due here, not {found}"));
    };
    Day::from_date(date.year, date.month, date.day).ok_or_else(|| format!("there is no date {found} here"))
}

/// A date and time with its offset from UTC: `2026-09-01T00:00:00Z`. Milliseconds are kept, finer is refused.
pub fn moment(value: &DeValue<'_>) -> Result<Timestamp, String> {
    let DeValue::Datetime(found) = value else {
        return Err(format!("a date and time with offset is due here, not {}", kind_of(value)));
    };
    let (Some(date), Some(time), Some(offset)) = (found.date, found.time, found.offset) else {
        return Err(format!("a date and time with offset (Z for UTC) is due here, not {found}"));
    };
    let (seconds, nanoseconds) = (time.second, time.nanosecond);
    if nanoseconds % 1_000_000 != 0 || seconds > 59 {
        return Err(format!("{found} is finer than milliseconds, or a leap second"));
    }
    let of_day_s = u64::from(time.hour) * 3_600 + u64::from(time.minute) * 60 + u64::from(seconds);
    let offset_minutes = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    Day::from_date(date.year, date.month, date.day)
        .and_then(|day| {
            text::moment_of(day, of_day_s * 1_000 + u64::from(nanoseconds / 1_000_000), offset_minutes)
        })
        .ok_or_else(|| format!("there is no moment {found} here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str, read: impl FnOnce(&mut Section<'_>, &mut Notes)) -> String {
        let mut notes = Notes::default();
        let table = parse(text, &mut notes);
        let mut section = Section::root(&table);
        read(&mut section, &mut notes);
        section.finish(&mut notes);
        notes.in_text("f", text).map_or_else(|mistakes| mistakes.to_string(), |()| String::new())
    }

    #[test]
    fn every_mistake_is_kept_with_its_line() {
        let shown = mistakes("bin = 1\nnames = \"x\"\n", |section, notes| {
            assert_eq!(section.required(notes, field("bin", "\"1\""), text), None);
            assert_eq!(section.required(notes, field("time", "2026-09-01"), day), None);
            section.optional(notes, field("name", "\"x\""), text);
        });
        let expected = "f:1:1: time: the value is missing; add time = 2026-09-01\n\
                        f:1:7: bin: a text is due here, not an integer; write it like bin = \"1\"\n\
                        f:2:1: names: unknown key; did you mean `name`?";
        assert_eq!(shown, expected);
    }

    #[test]
    fn syntax_mistakes_are_all_kept() {
        let shown = mistakes("a = \nb = 2 2\n", |section, notes| {
            section.optional(notes, field("a", "1"), integer::<u64>);
            section.optional(notes, field("b", "1"), integer::<u64>);
        });
        assert!(shown.contains("f:1:") && shown.contains("f:2:"), "{shown}");
    }

    #[test]
    fn moments_need_an_offset_and_dates_refuse_a_time() {
        let mut notes = Notes::default();
        let table =
            parse("a = 2026-09-01T05:00:00+05:00\nb = 2026-09-01T00:00:00\nc = 2026-09-01", &mut notes);
        let midnight = moment(table["a"].get_ref()).expect("a moment");
        assert_eq!(text::moment(midnight), "2026-09-01T00:00:00Z");
        assert!(moment(table["b"].get_ref()).is_err() && day(table["b"].get_ref()).is_err());
        assert_eq!(day(table["c"].get_ref()), Ok(midnight.day()));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let mut notes = Notes::default();
        let table = parse("a = -1\nb = 256\nc = 0xff", &mut notes);
        assert!(integer::<u64>(table["a"].get_ref()).is_err());
        assert!(integer::<u8>(table["b"].get_ref()).is_err());
        assert_eq!(integer::<u8>(table["c"].get_ref()), Ok(255));
    }
}
