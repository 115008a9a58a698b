//! Sixteen colors, and which of them is nearest to all others.

/// One of the sixteen colors of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color(u8);

/// The sixteen, as most terminals show them.
const PALETTE: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The steps of each channel in the cube of 216 colors.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Color {
    /// One of the sixteen by its number.
    pub(super) fn basic(number: u16) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| *number < 16).map(Self)
    }

    /// What follows `38` and `48`: `5;N` or `2;R;G;B`.
    pub(super) fn extended(parameters: &mut impl Iterator<Item = u16>) -> Option<Self> {
        match parameters.next()? {
            5 => Self::indexed(u8::try_from(parameters.next()?).ok()?),
            2 => {
                let mut channel = || u8::try_from(parameters.next()?).ok();
                Some(Self::nearest([channel()?, channel()?, channel()?]))
            }
            _ => None,
        }
    }

    /// The number of its class.
    pub(super) fn number(self) -> u8 {
        self.0
    }

    fn indexed(index: u8) -> Option<Self> {
        match index {
            0..16 => Some(Self(index)),
            16..232 => {
                let cube = usize::from(index - 16);
                Some(Self::nearest([STEPS[cube / 36], STEPS[cube / 6 % 6], STEPS[cube % 6]]))
            }
            232.. => Some(Self::nearest([8 + 10 * (index - 232); 3])),
        }
    }

    fn nearest(wanted: [u8; 3]) -> Self {
        let distance = |color: &[u8; 3]| -> u32 {
            let channels = color.iter().zip(wanted);
            channels.map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
        };
        let nearest = (0..16).min_by_key(|number: &u8| distance(&PALETTE[usize::from(*number)]));
        Self(nearest.unwrap_or(0))
    }
}
