//! Gossip: two topics, signed by whoever brings a message in, passed on only after the node has checked it.
//!
//! A message is named by a hash over topic and data, so that two nodes that bring in the same transaction cause
//! it to travel once. Peers that pass on what no honest node would are scored down and, in the end, ignored.
//!
//! What is queued for a slow peer is bounded in number by gossipsub itself, hence in bytes by `QUEUE_MAX`
//! times the size limit of a topic: 16 MiB. What it misses it can ask for, and a peer that stops reading
//! altogether fails its ping and is cut.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use libp2p::{
    gossipsub::{
        Behaviour as Gossipsub, Config, ConfigBuilder, IdentTopic, Message, MessageAuthenticity, MessageId,
        PeerScoreParams, PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode,
        WhitelistSubscriptionFilter,
    },
    identity::Keypair,
};
use tanba_crypto::{Hash, Tag};

use super::{NetworkLimits, Topic};

/// Messages queued for one peer.
const QUEUE_MAX: usize = 128;
/// What a message carries beside its data: author, number, signature, topic.
const ENVELOPE_BYTES: usize = 1_024;
/// The mesh is mended at this pace.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// A message seen is remembered for so long.
const SEEN: Duration = Duration::from_secs(60);

/// The protocol on all connections, which hears of our topics alone.
pub(super) type Behaviour = Gossipsub<libp2p::gossipsub::IdentityTransform, WhitelistSubscriptionFilter>;

/// The topics under their names on the wire.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    transactions: IdentTopic,
    blocks: IdentTopic,
}

impl Topics {
    /// The names of one network.
    pub(super) fn new(prefix: &str) -> Topics {
        Topics {
            transactions: IdentTopic::new(format!("{prefix}/transactions/1")),
            blocks: IdentTopic::new(format!("{prefix}/blocks/1")),
        }
    }

    /// The wire's name of `topic`.
    pub(super) fn name(&self, topic: Topic) -> &IdentTopic {
        match topic {
            Topic::Transactions => &self.transactions,
            Topic::Blocks => &self.blocks,
        }
    }

    /// Our word for the wire's name.
    pub(super) fn topic(&self, name: &TopicHash) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| self.name(*topic).hash() == *name)
    }
}

/// Bytes of data allowed on `topic`.
pub(super) fn bytes_max(topic: Topic, limits: &NetworkLimits) -> usize {
    match topic {
        Topic::Transactions => limits.gossip_transaction_bytes_max,
        Topic::Blocks => limits.gossip_block_bytes_max,
    }
}

/// The behaviour, subscribed to both topics.
pub(super) fn behaviour(
    keypair: Keypair,
    prefix: &str,
    topics: &Topics,
    limits: &NetworkLimits,
) -> Result<Behaviour, String> {
    let names: HashSet<TopicHash> = Topic::ALL.into_iter().map(|topic| topics.name(topic).hash()).collect();
    let mut gossip = Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Signed(keypair),
        config(prefix, topics, limits)?,
        WhitelistSubscriptionFilter(names.clone()),
    )?;
    gossip.with_peer_score(scores(names), thresholds())?;
    for topic in Topic::ALL {
        gossip.subscribe(topics.name(topic)).map_err(|error| error.to_string())?;
    }
    Ok(gossip)
}

fn config(prefix: &str, topics: &Topics, limits: &NetworkLimits) -> Result<Config, String> {
    let mut config = ConfigBuilder::default();
    config
        .protocol_id_prefix(format!("{prefix}/gossip"))
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(message_id)
        .flood_publish(false)
        .heartbeat_initial_delay(Duration::from_millis(100))
        .heartbeat_interval(HEARTBEAT)
        .duplicate_cache_time(SEEN)
        .connection_handler_queue_len(QUEUE_MAX)
        .max_transmit_size(
            bytes_max(Topic::Blocks, limits).max(bytes_max(Topic::Transactions, limits)) + ENVELOPE_BYTES,
        );
    for topic in Topic::ALL {
        config.max_transmit_size_for_topic(
            bytes_max(topic, limits) + ENVELOPE_BYTES,
            topics.name(topic).hash(),
        );
    }
    config.build().map_err(|error| error.to_string())
}

/// SHA-256 over the framed topic and the data, author and number left out.
fn message_id(message: &Message) -> MessageId {
    let topic = message.topic.as_str().as_bytes();
    let length = (topic.len() as u64).to_be_bytes();
    MessageId::from(Hash::tagged(Tag::GOSSIP, &[&length, topic, &message.data]).0.to_vec())
}

/// The hash inside a message's name; `None` if a name is not one of ours.
pub(super) fn hash(id: &MessageId) -> Option<Hash> {
    id.0.as_slice().try_into().ok().map(Hash)
}

/// Only what is wrong beyond doubt counts: rejected messages and breaches of the protocol. Being slow or quiet,
/// or sharing an address with another node, does not.
fn scores(names: HashSet<TopicHash>) -> PeerScoreParams {
    let topic = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 0.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: 0.9,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: names.into_iter().map(|name| (name, topic.clone())).collect::<HashMap<_, _>>(),
        ip_colocation_factor_weight: 0.0,
        slow_peer_weight: 0.0,
        ..PeerScoreParams::default()
    }
}

/// The penalty grows with the square of recent rejections: about ten silence a peer in gossip for a minute.
fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -25.0,
        publish_threshold: -50.0,
        graylist_threshold: -100.0,
        ..PeerScoreThresholds::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, data: &[u8], number: u64) -> Message {
        Message {
            source: None,
            data: data.to_vec(),
            sequence_number: Some(number),
            topic: IdentTopic::new(topic).hash(),
        }
    }

    #[test]
    fn a_message_is_named_by_topic_and_data_alone() {
        let name = |topic, data: &[u8], number| message_id(&message(topic, data, number));
        assert_eq!(name("a", b"x", 1), name("a", b"x", 2));
        assert_ne!(name("a", b"x", 1), name("b", b"x", 1));
        assert_ne!(name("a", b"bx", 1), name("ab", b"x", 1));
        assert!(hash(&name("a", b"x", 1)).is_some());
    }

    #[test]
    fn the_configuration_is_one_gossipsub_accepts() {
        let topics = Topics::new("/tanba/00");
        behaviour(Keypair::generate_ed25519(), "/tanba/00", &topics, &NetworkLimits::default())
            .expect("limits, scores and topics agree");
        assert_eq!(topics.topic(&topics.name(Topic::Blocks).hash()), Some(Topic::Blocks));
        assert_eq!(topics.topic(&IdentTopic::new("other").hash()), None);
    }
}
