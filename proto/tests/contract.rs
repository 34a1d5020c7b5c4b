//! The contract keeps its own rules: every name and every comment that a reader of the `.proto` files expects.

use std::{fs, path::Path};

use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

fn files() -> Vec<FileDescriptorProto> {
    let read = |bytes| FileDescriptorSet::decode(bytes).expect("build.rs wrote descriptors").file;
    let mut files = read(tanba_proto::DESCRIPTORS);
    files.extend(read(tanba_proto::INSTITUTION));
    files.sort_by(|one, other| one.name().cmp(other.name()));
    files.dedup_by(|one, other| one.name() == other.name());
    files
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: FileDescriptorProto| {
        let text = fs::read_to_string(root.join(file.name())).expect("a file of the contract");
        (file.name().to_owned(), text)
    };
    files().into_iter().map(read).collect()
}

/// What is public about a message, in one line each: number, type, name.
fn fields(message: &DescriptorProto) -> Vec<String> {
    let line = |field: &prost_types::FieldDescriptorProto| {
        format!("{}.{} = {} {:?}", message.name(), field.name(), field.number(), field.r#type())
    };
    message.field.iter().map(line).collect()
}

#[test]
fn every_declaration_has_a_comment() {
    let declares = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        let block = ["message", "enum", "service", "rpc", "oneof", "package"].contains(&first);
        block || (line.contains(" = ") && line.ends_with(';') && !line.starts_with("syntax"))
    };
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (number, pair) in lines.windows(2).enumerate() {
            if declares(pair[1]) {
                assert!(pair[0].starts_with("//"), "{name}:{}: {} has no comment", number + 2, pair[1]);
            }
        }
    }
}

#[test]
fn packages_are_versioned_and_named_like_their_folders() {
    for file in files() {
        let folder = file.name().rsplit_once('/').expect("a folder").0.replace('/', ".");
        assert_eq!(file.package(), folder);
        assert!(file.package().ends_with(".v1"));
    }
}

#[test]
fn enums_begin_with_unspecified_and_carry_their_name() {
    for file in files() {
        for item in file.enum_type {
            let prefix = item.name().chars().fold(String::new(), |text, c| {
                let break_here = c.is_ascii_uppercase() && !text.is_empty();
                text + if break_here { "_" } else { "" } + &c.to_ascii_uppercase().to_string()
            });
            assert_eq!(item.value[0].name(), format!("{prefix}_UNSPECIFIED"));
            assert_eq!(item.value[0].number(), 0);
            assert!(item.value.iter().all(|value| value.name().starts_with(&prefix)), "{prefix}");
        }
    }
}

#[test]
fn services_and_their_messages_follow_one_pattern() {
    let mut calls = 0;
    for file in files() {
        for service in &file.service {
            assert!(service.name().ends_with("Service"), "{}", service.name());
            for method in &service.method {
                let message = |suffix| format!(".{}.{}{suffix}", file.package(), method.name());
                assert_eq!(method.input_type(), message("Request"));
                assert_eq!(method.output_type(), message("Response"));
                calls += 1;
            }
        }
    }
    assert_eq!(calls, 41);
}

#[test]
fn every_answer_says_as_of_when() {
    // A stream of blocks says it in its heartbeats: a block carries its own height and time.
    let exempt = ["StreamBlocksResponse"];
    for file in files() {
        for message in file.message_type.iter().filter(|message| message.name().ends_with("Response")) {
            let says =
                message.field.first().is_some_and(|field| field.name() == "as_of" && field.number() == 1);
            assert!(says || exempt.contains(&message.name()), "{}", message.name());
        }
    }
}

#[test]
fn numbers_and_types_of_fields_never_change() {
    let shape: Vec<String> = files().iter().flat_map(|file| &file.message_type).flat_map(fields).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fields.txt");
    let pinned = fs::read_to_string(&path).expect("tests/fields.txt");
    let pinned: Vec<&str> = pinned.lines().collect();
    for line in &pinned {
        assert!(shape.iter().any(|field| field == line), "{line} was removed or changed: that needs a v2");
    }
    for field in &shape {
        assert!(pinned.contains(&field.as_str()), "{field} is new: pin it in tests/fields.txt");
    }
}
