//! A network whose weather we make: every node sits in a namespace of its own behind a TAP device, and this
//! process carries Ethernet frames from device to device, or does not. A second device of each namespace leads
//! clients in, past the weather.
//!
//! Delays are drawn for each frame, so that frames overtake each other. Nothing is corrupted here: TCP sums and
//! the noise of every channel would turn it into loss.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{Read, Write},
    net::Ipv4Addr,
    ops::Range,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Stopped, dice::Dice, failed, ioctl, needs};
use crate::network::VALIDATORS;

/// An Ethernet frame of a device with the usual 1,500 bytes of payload.
const FRAME_BYTES_MAX: usize = 1_600;

/// Destination addresses with this bit go to everyone.
const TO_ALL: u8 = 1;

/// What happens to frames.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// Of 1,000 frames so many are lost.
    pub(super) lost_per_mille: u64,
    /// Of 1,000 frames so many arrive twice.
    pub(super) doubled_per_mille: u64,
    /// Each is delayed by a time of this range, in microseconds; different delays reorder.
    pub(super) delay_us: Range<u64>,
    /// Nothing gets from the first to the second of these nodes.
    pub(super) cut: Vec<(usize, usize)>,
}

impl Weather {
    /// No harm.
    pub(super) fn calm() -> Weather {
        Weather { lost_per_mille: 0, doubled_per_mille: 0, delay_us: 0..1, cut: Vec::new() }
    }

    /// Nothing gets from one side to the other.
    pub(super) fn one_way(from: &[usize], to: &[usize]) -> Weather {
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
        Weather { cut: pairs.collect(), ..Weather::calm() }
    }

    /// Nothing gets across in either direction.
    pub(super) fn split(one: &[usize], other: &[usize]) -> Weather {
        let mut weather = Weather::one_way(one, other);
        weather.cut.extend(Weather::one_way(other, one).cut);
        weather
    }
}

/// Frames, counted by what happened to them.
#[derive(Debug, Default)]
struct Counts {
    carried: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
    cut: AtomicU64,
}

impl Counts {
    fn tally(&self) -> Tally {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            carried: of(&self.carried),
            lost: of(&self.lost),
            doubled: of(&self.doubled),
            cut: of(&self.cut),
        }
    }
}

/// Frames until one moment, counted by what happened to them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Carried.
    pub(super) carried: u64,
    /// Lost by chance.
    pub(super) lost: u64,
    /// Carried twice.
    pub(super) doubled: u64,
    /// Stopped by a cut.
    pub(super) cut: u64,
}

/// A frame on its way: due then, for that device.
type Due = (Instant, u64, usize, Vec<u8>);

/// Four namespaces and what lies between them. They go with the value.
#[derive(Debug)]
pub(super) struct Relay {
    weather: Arc<RwLock<Weather>>,
    counts: Arc<Counts>,
    /// When this weather began.
    began: Tally,
}

/// What a relay needs of this machine: one node more is plugged in, and goes.
pub(super) fn needs_relay() -> Result<(), Stopped> {
    needs::root()?;
    needs::program("nsenter", &["--version"])?;
    needs::program("ip", &["-V"])?;
    let space = namespace(VALIDATORS);
    let entered = plug_in(VALIDATORS)
        .and_then(|_device| needs::run("nsenter", &[&format!("--net=/run/netns/{space}"), "true"]));
    let removed = needs::run("ip", &["netns", "del", &space]);
    needs::tried("a namespace behind a TAP device", entered.and(removed))
}

/// The namespace of a node.
pub(super) fn namespace(number: usize) -> String {
    format!("tanba-{}-{number}", std::process::id())
}

/// Where a node is reached by the others.
pub(super) fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, host(number))
}

/// Where clients reach a node: one network of two addresses for each.
pub(super) fn clients_address(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 78, network_byte(), host(number) * 4 + 2)
}

/// Two runs on one machine must not use the same addresses.
fn network_byte() -> u8 {
    (std::process::id() % 250) as u8
}

fn host(number: usize) -> u8 {
    number as u8 + 1
}

impl Relay {
    /// Makes the namespaces, and carries frames from now on.
    pub(super) fn new(dice: &Dice) -> Result<Relay, Stopped> {
        let relay = Relay {
            weather: Arc::new(RwLock::new(Weather::calm())),
            counts: Arc::default(),
            began: Tally::default(),
        };
        let (sender, receiver) = channel();
        let mut devices = Vec::new();
        for number in 0..VALIDATORS {
            let device = plug_in(number)?;
            let reader = Reader {
                number,
                device: device.try_clone()?,
                dice: dice.clone(),
                weather: relay.weather.clone(),
                counts: relay.counts.clone(),
                sender: sender.clone(),
            };
            thread::Builder::new().name(format!("relay-{number}")).spawn(move || reader.run())?;
            devices.push(device);
        }
        thread::Builder::new().name("relay".to_owned()).spawn(move || deliver(&receiver, devices))?;
        Ok(relay)
    }

    /// Changes the weather.
    pub(super) fn set(&mut self, weather: Weather) {
        *self.weather.write().unwrap_or_else(PoisonError::into_inner) = weather;
        self.began = self.counts.tally();
    }

    /// Every harm of this weather was done to some frame, or it was none.
    pub(super) fn harmed(&self) -> Result<(), Stopped> {
        let weather = self.weather.read().unwrap_or_else(PoisonError::into_inner);
        let (began, now) = (self.began, self.counts.tally());
        let harms = [
            ("lost", weather.lost_per_mille > 0, now.lost > began.lost),
            ("doubled", weather.doubled_per_mille > 0, now.doubled > began.doubled),
            ("cut", !weather.cut.is_empty(), now.cut > began.cut),
        ];
        match harms.iter().find(|(_, is_due, was_done)| *is_due && !was_done) {
            Some((harm, ..)) => failed(format!("not one frame was {harm}: {weather:?} did no harm")),
            None => Ok(()),
        }
    }

    /// What happened so far.
    pub(super) fn tally(&self) -> Tally {
        self.counts.tally()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // With a namespace its devices go, and with a device the thread that reads from it ends.
        for number in 0..VALIDATORS {
            if let Err(Stopped::Failed(what)) = needs::run("ip", &["netns", "del", &namespace(number)]) {
                eprintln!("{what}");
            }
        }
    }
}

/// Makes the namespace of a node and plugs it in; gives our end of its cable.
fn plug_in(number: usize) -> Result<File, Stopped> {
    let ip = |line: String| needs::run("ip", &line.split(' ').collect::<Vec<_>>());
    let (space, id) = (namespace(number), std::process::id() % 100_000);
    let (tap, inner, outer) =
        (format!("ta{id}t{number}"), format!("ta{id}i{number}"), format!("ta{id}o{number}"));
    let clients = clients_address(number);
    let ours = Ipv4Addr::from_bits(clients.to_bits() - 1);
    ip(format!("netns add {space}"))?;
    let device = File::options().read(true).write(true).open("/dev/net/tun")?;
    ioctl::make_tap(&device, &tap)?;
    ip(format!("link set {tap} address 02:00:00:00:00:{:02x}", host(number)))?;
    ip(format!("link set {tap} netns {space}"))?;
    ip(format!("-n {space} addr add {}/24 dev {tap}", address(number)))?;
    ip(format!("link add {outer} type veth peer name {inner} netns {space}"))?;
    ip(format!("addr add {ours}/30 dev {outer}"))?;
    ip(format!("link set {outer} up"))?;
    ip(format!("-n {space} addr add {clients}/30 dev {inner}"))?;
    for name in ["lo", &tap, &inner] {
        ip(format!("-n {space} link set {name} up"))?;
    }
    Ok(device)
}

/// Takes in what one node sends.
struct Reader {
    number: usize,
    device: File,
    dice: Dice,
    weather: Arc<RwLock<Weather>>,
    counts: Arc<Counts>,
    sender: Sender<(Instant, usize, Vec<u8>)>,
}

impl Reader {
    /// Until the device is gone.
    fn run(mut self) {
        let mut frame = [0; FRAME_BYTES_MAX];
        while let Ok(length) = self.device.read(&mut frame) {
            // The last byte of a device's address is its node's; see `plug_in`.
            let to = (0..VALIDATORS)
                .filter(|to| *to != self.number && (frame[0] & TO_ALL != 0 || frame[5] == host(*to)));
            for to in to.collect::<Vec<_>>() {
                if !self.send(to, &frame[..length]) {
                    return;
                }
            }
        }
    }

    /// Whether anyone still delivers.
    fn send(&mut self, to: usize, frame: &[u8]) -> bool {
        let weather = self.weather.read().unwrap_or_else(PoisonError::into_inner);
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        if weather.cut.contains(&(self.number, to)) {
            count(&self.counts.cut);
            return true;
        }
        if self.dice.per_mille(weather.lost_per_mille) {
            count(&self.counts.lost);
            return true;
        }
        count(&self.counts.carried);
        let is_doubled = self.dice.per_mille(weather.doubled_per_mille);
        if is_doubled {
            count(&self.counts.doubled);
        }
        let copies = if is_doubled { 2 } else { 1 };
        (0..copies).all(|_| {
            let delay = Duration::from_micros(self.dice.within(weather.delay_us.clone()));
            self.sender.send((Instant::now() + delay, to, frame.to_vec())).is_ok()
        })
    }
}

/// Hands out each frame when it is due, until every reader has ended.
fn deliver(receiver: &Receiver<(Instant, usize, Vec<u8>)>, mut devices: Vec<File>) {
    const IDLE: Duration = Duration::from_millis(100);
    let mut under_way: BinaryHeap<Reverse<Due>> = BinaryHeap::new();
    let mut taken = 0;
    loop {
        let wait =
            under_way.peek().map_or(IDLE, |Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
        match receiver.recv_timeout(wait) {
            Ok((due, to, frame)) => {
                taken += 1;
                under_way.push(Reverse((due, taken, to, frame)));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(Reverse((due, ..))) = under_way.peek()
            && *due <= Instant::now()
        {
            let Reverse((_, _, to, frame)) = under_way.pop().expect("just seen");
            // A device that is going away takes nothing; to its network that is one more frame lost.
            let _ = devices[to].write(&frame);
        }
    }
}
