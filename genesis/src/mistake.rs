//! What is wrong with a file, where, and what to do: all of it at once, never only the first.

use std::{collections::BTreeMap, fmt, ops::Range};

/// Mistakes shown in full; of a file with more, the rest is counted.
pub const MISTAKES_SHOWN_MAX: usize = 100;

/// One thing that is wrong, and where in the values it is: `institutions[2].keys[0].proof`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Finding {
    /// The value, by its path from the root; empty for the whole.
    pub path: String,
    /// What is wrong, without a full stop.
    pub what: String,
    /// What to do about it, in the imperative.
    pub remedy: String,
}

/// A finding and its place in a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The text's name, as the caller gave it.
    pub file: String,
    /// Line and column of the value, both from 1, the column in characters. `None` where there is no text
    /// (canonical bytes, values built by a program).
    pub at: Option<(usize, usize)>,
    /// What is wrong there.
    pub finding: Finding,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        let Finding { path, what, remedy } = &self.finding;
        if !path.is_empty() {
            write!(f, ": {path}")?;
        }
        write!(f, ": {what}; {remedy}")
    }
}

/// Every mistake of one file, in the order of its lines. Never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// One mistake about a file as a whole.
    pub fn whole(file: &str, what: impl Into<String>, remedy: impl Into<String>) -> Mistakes {
        let finding = Finding { path: String::new(), what: what.into(), remedy: remedy.into() };
        Mistakes(vec![Mistake { file: file.to_owned(), at: None, finding }])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().take(MISTAKES_SHOWN_MAX).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        match self.0.len().checked_sub(MISTAKES_SHOWN_MAX) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Mistakes {}

/// Findings as they are made, and the places of the values read so far.
#[derive(Debug, Default)]
pub struct Notes {
    findings: Vec<(Option<Range<usize>>, Finding)>,
    places: BTreeMap<String, Range<usize>>,
}

impl Notes {
    /// Notes a mistake about the value at `path`.
    pub fn add(&mut self, path: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) {
        let finding = Finding { path: path.into(), what: what.into(), remedy: remedy.into() };
        self.findings.push((None, finding));
    }

    /// Notes a mistake whose place in the text is known though no value lies there (syntax, unknown keys).
    pub fn add_at(&mut self, span: Range<usize>, path: String, what: String, remedy: String) {
        self.findings.push((Some(span), Finding { path, what, remedy }));
    }

    /// Remembers that the value at `path` stands at `span`.
    pub fn place(&mut self, path: &str, span: Range<usize>) {
        self.places.insert(path.to_owned(), span);
    }

    /// Whether nothing is wrong so far.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The mistakes with their lines in `text`, or `Ok` if there are none.
    pub fn in_text(self, file: &str, text: &str) -> Result<(), Mistakes> {
        let lines = Lines::of(text);
        let mut mistakes: Vec<Mistake> = self
            .findings
            .iter()
            .map(|(span, finding)| {
                let start = span.as_ref().unwrap_or_else(|| self.place_of(&finding.path)).start;
                Mistake { file: file.to_owned(), at: Some(lines.position(start)), finding: finding.clone() }
            })
            .collect();
        mistakes.sort_by(|a, b| (a.at, &a.finding).cmp(&(b.at, &b.finding)));
        mistakes.dedup();
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }

    /// The mistakes of values that have no text, or `Ok` if there are none.
    pub fn without_text(self, name: &str) -> Result<(), Mistakes> {
        let mistake = |(_, finding)| Mistake { file: name.to_owned(), at: None, finding };
        let mistakes: Vec<Mistake> = self.findings.into_iter().map(mistake).collect();
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }

    /// Where the value at `path` stands; for one that is missing, where its nearest ancestor does.
    fn place_of(&self, path: &str) -> &Range<usize> {
        const START: &Range<usize> = &(0..0);
        let mut path = path;
        loop {
            match (self.places.get(path), path.rfind(['.', '['])) {
                (Some(span), _) => return span,
                (None, Some(end)) => path = &path[..end],
                (None, None) => return START,
            }
        }
    }
}

/// Where the lines of a text begin, so that placing many mistakes stays cheap.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl Lines<'_> {
    fn of(text: &str) -> Lines<'_> {
        let after_breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Lines { text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// Line and column of a byte offset, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let column = self.text.get(self.starts[line - 1]..offset).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let lines = Lines::of("ab\nәі = 1\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(3), (2, 1));
        assert_eq!(lines.position("ab\nәі ".len()), (2, 4));
    }

    #[test]
    fn a_missing_value_is_placed_at_its_nearest_ancestor() {
        let mut notes = Notes::default();
        notes.place("a[1]", 4..9);
        notes.add("a[1].b[0].c", "missing", "add it");
        let mistakes = notes.in_text("f", "xx\n\nhere").expect_err("one mistake");
        assert_eq!(mistakes.to_string(), "f:3:1: a[1].b[0].c: missing; add it");
    }

    #[test]
    fn a_long_list_is_cut_and_the_rest_counted() {
        let mut notes = Notes::default();
        for i in 0..MISTAKES_SHOWN_MAX + 3 {
            notes.add(format!("a[{i:03}]"), "wrong", "mend it");
        }
        let shown = notes.in_text("f", "").expect_err("mistakes").to_string();
        assert!(shown.ends_with("\nand 3 more"), "{shown}");
    }
}
