//! A form: lines that are always the same, and lines that end in a value. A filled form is read by writing it again.

/// A line of a form.
#[derive(Clone, Copy)]
pub(super) enum Line {
    /// Always the same.
    Fixed(&'static str),
    /// This, and then a value without a line break.
    Value(&'static str),
}

/// What stands in the place of a value where the form itself is hashed or shown.
const BLANK: &str = "{}";

/// A text that is not the form, filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormError {
    /// No version and language that is known.
    #[error("the first line names no form of this version")]
    Unknown,
    /// A line that is not the form's, or is missing.
    #[error("line {line} is missing or is not that of the form")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// Something follows the last line.
    #[error("something follows the last line of the form")]
    Trailing,
    /// A value that the form's line cannot have.
    #[error("line {line} has a value that it cannot have")]
    Value {
        /// Which, from 1.
        line: usize,
    },
}

/// The filled form. There is one value for each line that takes one, none with a line break.
pub(super) fn fill(form: &[Line], values: &[&str]) -> String {
    let mut values = values.iter();
    let mut text = String::new();
    for line in form {
        match line {
            Line::Fixed(fixed) => text.push_str(fixed),
            Line::Value(label) => {
                let value = values.next().expect("a value for each line that takes one");
                assert!(!value.contains('\n'), "a value is one line");
                text.push_str(label);
                text.push_str(value);
            }
        }
        text.push('\n');
    }
    assert!(values.next().is_none(), "a line for each value");
    text
}

/// The form, unfilled.
pub(super) fn blank(form: &[Line]) -> String {
    let count = form.iter().filter(|line| matches!(line, Line::Value(_))).count();
    fill(form, &vec![BLANK; count])
}

/// The values of a filled form, each with the number of its line, from 1.
pub(super) fn read<'a>(form: &[Line], text: &'a str) -> Result<Vec<(usize, &'a str)>, FormError> {
    let mut rest = text;
    let mut values = Vec::new();
    for (line, expected) in (1..).zip(form) {
        let (found, after) = rest.split_once('\n').ok_or(FormError::Line { line })?;
        match expected {
            Line::Fixed(fixed) if found == *fixed => {}
            Line::Fixed(_) => return Err(FormError::Line { line }),
            Line::Value(label) => {
                values.push((line, found.strip_prefix(label).ok_or(FormError::Line { line })?));
            }
        }
        rest = after;
    }
    if rest.is_empty() { Ok(values) } else { Err(FormError::Trailing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[Line] = &[Line::Fixed("first"), Line::Value("a: "), Line::Value("b: ")];

    #[test]
    fn a_filled_form_reads_back() {
        let text = fill(FORM, &["1", "two: 2"]);
        assert_eq!(text, "first\na: 1\nb: two: 2\n");
        assert_eq!(read(FORM, &text), Ok(vec![(2, "1"), (3, "two: 2")]));
        assert_eq!(blank(FORM), "first\na: {}\nb: {}\n");
    }

    #[test]
    fn what_is_not_the_form_is_named_by_its_line() {
        assert_eq!(read(FORM, ""), Err(FormError::Line { line: 1 }));
        assert_eq!(read(FORM, "first\nb: 2\na: 1\n"), Err(FormError::Line { line: 2 }));
        assert_eq!(read(FORM, "first\na: 1\n"), Err(FormError::Line { line: 3 }));
        assert_eq!(read(FORM, "first\na: 1\nb: 2"), Err(FormError::Line { line: 3 }));
        assert_eq!(read(FORM, "first\na: 1\nb: 2\n\n"), Err(FormError::Trailing));
    }
}
