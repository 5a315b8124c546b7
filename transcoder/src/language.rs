//! Languages by their codes: ISO 639-2 has two for some, and broadcasters use either.

/// ISO 639-2 codes of one language that differ: bibliographic (B), terminology (T). These are
/// all (Library of Congress, the standard's registration authority: codes with "(B)").
const BIBLIOGRAPHIC: [(&[u8; 3], &[u8; 3]); 20] = [
    (b"alb", b"sqi"),
    (b"arm", b"hye"),
    (b"baq", b"eus"),
    (b"bur", b"mya"),
    (b"chi", b"zho"),
    (b"cze", b"ces"),
    (b"dut", b"nld"),
    (b"fre", b"fra"),
    (b"geo", b"kat"),
    (b"ger", b"deu"),
    (b"gre", b"ell"),
    (b"ice", b"isl"),
    (b"mac", b"mkd"),
    (b"mao", b"mri"),
    (b"may", b"msa"),
    (b"per", b"fas"),
    (b"rum", b"ron"),
    (b"slo", b"slk"),
    (b"tib", b"bod"),
    (b"wel", b"cym"),
];

/// ISO 639-1 codes with their ISO 639-2/T codes.
const TWO_LETTERS: &str = "\
    aa aar, ab abk, ae ave, af afr, ak aka, am amh, an arg, ar ara, as asm, av ava, ay aym, \
    az aze, ba bak, be bel, bg bul, bh bih, bi bis, bm bam, bn ben, bo bod, br bre, bs bos, \
    ca cat, ce che, ch cha, co cos, cr cre, cs ces, cu chu, cv chv, cy cym, da dan, de deu, \
    dv div, dz dzo, ee ewe, el ell, en eng, eo epo, es spa, et est, eu eus, fa fas, ff ful, \
    fi fin, fj fij, fo fao, fr fra, fy fry, ga gle, gd gla, gl glg, gn grn, gu guj, gv glv, \
    ha hau, he heb, hi hin, ho hmo, hr hrv, ht hat, hu hun, hy hye, hz her, ia ina, id ind, \
    ie ile, ig ibo, ii iii, ik ipk, io ido, is isl, it ita, iu iku, ja jpn, jv jav, ka kat, \
    kg kon, ki kik, kj kua, kk kaz, kl kal, km khm, kn kan, ko kor, kr kau, ks kas, ku kur, \
    kv kom, kw cor, ky kir, la lat, lb ltz, lg lug, li lim, ln lin, lo lao, lt lit, lu lub, \
    lv lav, mg mlg, mh mah, mi mri, mk mkd, ml mal, mn mon, mr mar, ms msa, mt mlt, my mya, \
    na nau, nb nob, nd nde, ne nep, ng ndo, nl nld, nn nno, no nor, nr nbl, nv nav, ny nya, \
    oc oci, oj oji, om orm, or ori, os oss, pa pan, pi pli, pl pol, ps pus, pt por, qu que, \
    rm roh, rn run, ro ron, ru rus, rw kin, sa san, sc srd, sd snd, se sme, sg sag, si sin, \
    sk slk, sl slv, sm smo, sn sna, so som, sq sqi, sr srp, ss ssw, st sot, su sun, sv swe, \
    sw swa, ta tam, te tel, tg tgk, th tha, ti tir, tk tuk, tl tgl, tn tsn, to ton, tr tur, \
    ts tso, tt tat, tw twi, ty tah, ug uig, uk ukr, ur urd, uz uzb, ve ven, vi vie, vo vol, \
    wa wln, wo wol, xh xho, yi yid, yo yor, za zha, zh zho, zu zul";

/// A language, whichever of its codes names it. `qaa` to `qtz`, `mul` and `und` are themselves.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language([u8; 3]);

impl Language {
    /// Return the language that a person names: by a code of ISO 639-2, of either kind, or of ISO
    /// 639-1; in letters of any case. None for what cannot be a code.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let code = match text.len() {
            2 => TWO_LETTERS
                .split(", ")
                .find_map(|pair| pair.strip_prefix(text.as_str())?.strip_prefix(' '))?,
            _ => text.as_str(),
        };
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_lowercase)
            .then(|| Self::of_code(code))
    }

    /// Return the language that a descriptor names. Broadcasts hold anything here: what is no code
    /// is equal to itself alone.
    pub fn of_code(code: [u8; 3]) -> Self {
        let code = code.map(|letter| letter.to_ascii_lowercase());
        let pair = BIBLIOGRAPHIC.iter().find(|(b, _)| **b == code);
        Self(pair.map_or(code, |(_, t)| **t))
    }
}

impl Language {
    /// Return its ISO 639-2 code, the terminological one where there are two.
    pub fn code(self) -> [u8; 3] {
        self.0
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Language({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_codes_of_a_language_name_it_in_any_case() {
        for (b, t) in BIBLIOGRAPHIC {
            assert_eq!(Language::of_code(*b), Language::of_code(*t));
            let upper = String::from_utf8_lossy(b).to_uppercase();
            assert_eq!(Language::parse(&upper), Some(Language::of_code(*t)));
        }
        assert_ne!(Language::of_code(*b"deu"), Language::of_code(*b"eng"));
    }

    #[test]
    fn two_letters_name_a_language_where_iso_639_1_has_them() {
        for (two, three) in [
            ("de", b"ger"),
            ("EN", b"eng"),
            ("zu", b"zul"),
            ("aa", b"aar"),
        ] {
            assert_eq!(Language::parse(two), Some(Language::of_code(*three)));
        }
        assert_eq!(TWO_LETTERS.split(", ").count(), 184);
        for none in ["", "d", "xx", "e ", ", ", "deutsch", "d1u", "d\u{e9}"] {
            assert_eq!(Language::parse(none), None, "{none:?}");
        }
    }

    #[test]
    fn codes_for_no_one_language_are_themselves() {
        for code in ["qaa", "qtz", "mul", "und", "zxx"] {
            let language = Language::parse(code).expect("a code");
            assert_eq!(
                Language::of_code(code.as_bytes().try_into().expect("3")),
                language
            );
            assert!(
                !BIBLIOGRAPHIC
                    .iter()
                    .any(|(_, t)| Language::of_code(**t) == language)
            );
        }
        assert_ne!(Language::of_code(*b"es "), Language::of_code(*b"spa"));
    }
}
