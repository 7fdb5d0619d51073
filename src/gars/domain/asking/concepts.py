"""Vocabulary of requests in words: phrases in English, Japanese and Chinese, and the genres and tags they stand for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concept:
    """A kind of anime as the genres and tags of the catalogue.

    A title fits if it has at least one label of each group of ``groups``, or a word of ``words`` in its synopsis, and
    none of ``without``.
    """

    groups: tuple[tuple[str, ...], ...]
    without: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


_HEAVY = ("Horror", "Gore", "Tragedy", "Suspense", "Psychological", "Suicide", "Body Horror", "Thriller")
_LIGHT = ("Comedy", "Slice of Life", "Iyashikei", "Gag Humor", "CGDCT", "Cute Girls Doing Cute Things", "Slapstick")
_CALM = ("Slice of Life", "Iyashikei", "CGDCT", "Cute Girls Doing Cute Things", "Family Life")


def _one(*labels: str, words: str = "") -> Concept:
    return Concept((labels,), words=tuple(words.split("|")) if words else ())


_TABLE: tuple[tuple[Concept, str], ...] = (
    # genres
    (_one("Action"), "action|アクション|バトル|动作|战斗|打斗|動作"),
    (_one("Adventure"), "adventure|adventurous|quest|冒険|冒险"),
    (_one("Comedy", "Gag Humor"), "comedy|funny|hilarious|humor|humour|comedic|laugh|コメディ|笑える|面白い|ギャグ|喜剧|搞笑|好笑|幽默"),
    (_one("Drama"), "drama|dramatic|ドラマ|人間ドラマ|剧情"),
    (_one("Fantasy"), "fantasy|ファンタジー|奇幻|幻想"),
    (_one("Sci-Fi"), "sci fi|scifi|science fiction|futuristic|sf|エスエフ|近未来|科幻"),
    (_one("Slice of Life"), "slice of life|everyday life|daily life|日常系|日常"),
    (_one("Music", "Band", "Idol", "Musical", words="band|musician"), "music|musical|band|音楽|バンド|音乐|乐队"),
    (_one("Romance"), "romance|romantic|love story|恋愛|ラブストーリー|恋|恋爱|爱情|浪漫"),
    (Concept((("Romance",), ("Comedy", "Gag Humor"))), "romcom|rom com|romantic comedy|ラブコメ|ラブコメディ|恋爱喜剧"),
    (_one("Kids"), "kids|for kids|for children|children|my kids|子供向け|キッズ|子ども向け|儿童|给孩子"),
    (_one("Shounen"), "shounen|shonen|少年漫画|少年向|少年"),
    (_one("Shoujo"), "shoujo|shojo|少女漫画|少女向"),
    (_one("Seinen"), "seinen|青年"),
    (_one("Josei"), "josei|女性向け|女性向"),
    (_one("Supernatural", "Ghost", "Youkai"), "supernatural|paranormal|超自然|オカルト|灵异"),
    (_one("School", "School Club"), "school|high school|highschool|academy|学園|学校|高校|校园"),
    (_one("College", words="university|college"), "college|university|大学"),
    (_one("Magic", "Witch", "Mahou Shoujo"), "magic|wizard|witch|魔法|魔女|法师"),
    (_one("Mahou Shoujo"), "magical girl|mahou shoujo|魔法少女"),
    (_one("Historical", "Samurai", "Medieval"), "historical|history|period piece|歴史|時代劇|历史|古代"),
    (_one("Mecha", "Super Robot", "Real Robot"), "mecha|giant robot|robot|ロボット|メカ|巨大ロボ|机甲|机器人|高达系"),
    (_one("Mystery", "Detective"), "mystery|whodunit|ミステリー|推理|謎解き|悬疑推理"),
    (_one("Detective"), "detective|探偵|侦探"),
    (_one("Ecchi", "Nudity"), "ecchi|fanservice|fan service|nudity|sexy|lewd|エロ|お色気|エッチ|パンチラ|卖肉|福利|色情"),
    (_one("Super Power"), "super power|superpower|powers|超能力|異能|异能"),
    (_one("Superhero"), "superhero|super hero|ヒーロー|英雄|超级英雄"),
    (_one("Sports", "Team Sports", "Combat Sports"), "sport|sports|スポーツ|スポ根|运动|体育"),
    (_one("Team Sports"), "team sport|チームスポーツ"),
    (_one("Avant Garde"), "avant garde|experimental|arthouse|前衛|先锋|实验"),
    (_one("Psychological"), "psychological|mind game|心理|心理戦|心理战"),
    (_one("Parody", "Satire", "Meta"), "parody|satire|パロディ|恶搞|讽刺"),
    (_one("Martial Arts", "Combat Sports"), "martial art|kung fu|武術|格闘|武道|武术|功夫|格斗"),
    (_one("Military", "War"), "military|army|soldier|ミリタリー|軍隊|军事|军队"),
    (_one("War"), "war|戦争|战争"),
    (_one("Horror"), "horror|scary|creepy|ホラー|怖い|恐怖|吓人|惊悚"),
    (_one("Space", "Space Opera", "Astronomy"), "space|in space|outer space|宇宙|太空"),
    (_one("Space Opera"), "space opera|スペースオペラ|太空歌剧"),
    (_one("Harem", "Female Harem"), "harem|ハーレム|后宫"),
    (_one("Reverse Harem", "Male Harem"), "reverse harem|逆ハーレム|逆ハー|逆后宫"),
    (_one("Suspense", "Thriller"), "suspense|suspenseful|thriller|thrilling|サスペンス|スリラー|悬疑"),
    (_one("Demons"), "demon|devil|悪魔|恶魔"),
    (_one("Isekai", "Reverse Isekai"), "isekai|another world|other world|異世界|異世界転生|异世界|穿越"),
    (_one("Reincarnation"), "reincarnation|reincarnated|転生|转生"),
    (_one("Mythology", "Gods"), "mythology|myth|gods|神話|神话"),
    (_one("Samurai"), "samurai|侍|サムライ|武士"),
    (_one("Police"), "police|cop|警察|刑事"),
    (_one("Gore"), "gore|gory|bloody|violent|violence|グロ|暴力|残酷|血腥|猎奇"),
    (_one("Boys Love", "Boys' Love"), "boys love|yaoi|bl|gay romance|ボーイズラブ|耽美"),
    (_one("Girls Love", "Yuri"), "girls love|yuri|gl|lesbian|百合|ガールズラブ"),
    (_one("Gourmet", "Food", "Restaurant"), "food|cooking|gourmet|cuisine|料理|グルメ|食べ物|美食|做饭"),
    (_one("Vampire"), "vampire|吸血鬼|ヴァンパイア"),
    (_one("Racing", "Cars", "Motorcycles"), "racing|race car|レース|赛车"),
    (_one("Time Travel", "Time Manipulation"), "time travel|time traveler|タイムトラベル|タイムスリップ|时间旅行|穿越时空"),
    (_one("Time Loop", words="time loop|loops back|relive"), "time loop|タイムループ|ループもの|时间循环|轮回"),
    (_one("Workplace", "Work", "Office", "Office Lady"), "workplace|office|work life|仕事|職場|お仕事|职场|工作"),
    (_one("Idols (Female)", "Idols (Male)", "Idol"), "idol|アイドル|偶像"),
    (_one("Video Game", "Video Games", "Virtual World"), "video game|gaming|vr|virtual reality|ゲーム世界|游戏世界|电子游戏"),
    (_one("Iyashikei", *_CALM), "iyashikei|healing|癒し|癒し系|癒される|治愈|治愈系"),
    (_one("Survival", "Death Game", "Battle Royale"), "survival|サバイバル|生存"),
    (_one("Death Game", "High Stakes Game"), "death game|デスゲーム|死亡游戏"),
    (_one("Medical", "Medicine", words="doctor|hospital"), "medical|doctor|hospital|医療|医者|医疗|医生"),
    (_one("Childcare", "Parenthood", "Adoption", "Family Life"), "parenting|raising a child|childcare|子育て|育児|育儿|带娃"),
    (_one("Family Life", "Found Family", "Childcare"), "family|家族|家庭|亲情"),
    (_one("Organized Crime", "Mafia", "Yakuza", "Gangs", "Crime"), "crime|gangster|mafia|yakuza|ヤクザ|マフィア|犯罪|黑帮|黑手党"),
    (_one("Otaku Culture"), "otaku|オタク|宅文化|宅"),
    (_one("Delinquents"), "delinquent|ヤンキー|不良"),
    (_one("Love Polygon", "Love Triangle"), "love triangle|三角関係|三角恋"),
    (_one("Award Winning"), "award winning|awarded|受賞|获奖"),
    (_one("CGDCT", "Cute Girls Doing Cute Things"), "cute girls|cgdct|moe|萌え|きらら系|美少女|萌系"),
    (_one("Pets", "Animals", "Primarily Animal Cast"), "pet|animal|cat|dog|動物|ペット|猫|犬|动物|宠物"),
    # settings and motifs
    (_one("Rural", "Agriculture", words="countryside|rural|farm"), "countryside|rural|village life|farm|farming|田舎|農村|農業|乡下|乡村|农村|田园"),
    (_one("Post-Apocalyptic", words="apocalypse|post-apocalyptic"), "post apocalyptic|apocalypse|apocalyptic|終末|ポストアポカリプス|末日|末世"),
    (_one("Dystopian", words="dystopia|dystopian"), "dystopia|dystopian|ディストピア|反乌托邦"),
    (_one("Cyberpunk", words="cyberpunk|cyborg"), "cyberpunk|サイバーパンク|赛博朋克"),
    (_one("Steampunk", words="steampunk"), "steampunk|スチームパンク|蒸汽朋克"),
    (_one("Travel", words="journey|travels"), "travel|traveling|travelling|road trip|journey|旅|旅行|旅情"),
    (_one("Pirates", words="pirate|pirates"), "pirate|海賊|海盗"),
    (_one("Ninja"), "ninja|忍者"),
    (_one("Zombie", words="zombie|zombies"), "zombie|ゾンビ|僵尸|丧尸"),
    (_one("Dragons"), "dragon|ドラゴン|竜|龙"),
    (_one("Aliens", words="alien|aliens"), "alien|宇宙人|エイリアン|外星人"),
    (_one("Artificial Intelligence", "Robots", "Cyborg", words="android|artificial intelligence"), "ai|android|artificial intelligence|人工知能|アンドロイド|人工智能"),
    (_one("Assassins"), "assassin|hitman|暗殺|殺し屋|刺客|杀手|暗杀"),
    (_one("Espionage", words="spy|spies"), "spy|espionage|スパイ|间谍|特务"),
    (_one("Revenge", words="revenge|vengeance"), "revenge|vengeance|復讐|复仇"),
    (_one("Politics", "Conspiracy"), "politics|political|intrigue|政治|陰謀|阴谋"),
    (_one("Philosophy"), "philosophical|philosophy|thought provoking|deep|哲学|考えさせられる|有深度|发人深省"),
    (_one("Coming of Age"), "coming of age|growing up|青春|成長|成长"),
    (_one("Anti-Hero"), "anti hero|antihero|villain protagonist|ダークヒーロー|反英雄"),
    (_one("Swordplay", "Samurai"), "sword|swordplay|swordsman|剣|剣術|剑|剑术"),
    (_one("Female Protagonist"), "female lead|female protagonist|strong female lead|heroine|女主角|女主|女性主人公|女主人公"),
    (_one("Male Protagonist"), "male lead|male protagonist|男主角|男主|男性主人公"),
    (_one("Adult Cast", "Primarily Adult Cast", "Office Lady"), "adult cast|adults|grown up|adult characters|大人向け|社会人|大人|成年人|成人主角"),
    (_one("LGBTQ+ Themes", "Boys' Love", "Yuri", "Boys Love", "Girls Love"), "lgbt|lgbtq|queer"),
    (_one("Gambling", "High Stakes Game", "Mahjong"), "gambling|ギャンブル|赌博"),
    (_one("Baseball"), "baseball|野球|棒球"),
    (_one("Football", words="soccer"), "soccer|football|サッカー|足球"),
    (_one("Basketball"), "basketball|バスケ|バスケットボール|篮球"),
    (_one("Volleyball"), "volleyball|バレー|バレーボール|排球"),
    (_one("Tennis"), "tennis|テニス|网球"),
    (_one("Boxing"), "boxing|ボクシング|拳击"),
    (_one("Swimming"), "swimming|水泳|游泳"),
    (_one("Mahjong"), "mahjong|麻雀|麻将"),
    (_one("Outdoor", "Outdoor Activities", words="camping|camp"), "camping|outdoor|hiking|キャンプ|アウトドア|露营|户外"),
    (_one("Youkai", "Ghost"), "youkai|yokai|妖怪"),
    (_one("Ghost", words="ghost|ghosts|spirit"), "ghost|spirit|幽霊|鬼魂|幽灵"),
    # moods
    (Concept((_LIGHT,), without=_HEAVY), "light|lighter|lighthearted|light hearted|feel good|wholesome|heartwarming|cheerful|happy|uplifting|warm|明るい|軽い|ほのぼの|楽しい|心温まる|ハートフル|轻松|欢乐|温馨|温暖|明快|愉快"),
    (Concept((_CALM,), without=("Horror", "Gore", "Super Power", "Martial Arts")), "slow|slow paced|calm|relaxing|relaxed|quiet|peaceful|chill|cozy|cosy|soothing|laid back|slow burn|ゆったり|のんびり|まったり|静かな|穏やか|慢节奏|悠闲|安静|平静|慢热|舒缓"),
    (Concept((("Horror", "Psychological", "Gore", "Suspense", "Tragedy", "Dystopian", "Thriller"),), without=("Kids", "Gag Humor", "CGDCT")), "dark|darker|grim|gritty|disturbing|bleak|ダーク|暗い|鬱|シリアス|重い|黑暗|阴暗|致郁|沉重"),
    (Concept((("Tragedy", "Drama"),), without=("Gag Humor",)), "sad|sadder|tearjerker|tear jerker|cry|emotional|heartbreaking|tragic|bittersweet|泣ける|悲しい|切ない|感動|悲伤|催泪|感人|虐心|悲剧"),
    (_one("Action", "Adventure", "Suspense", "Super Power", "Sports", "Martial Arts"), "exciting|fast paced|intense|epic|hype|熱い|激しい|ワクワク|热血|刺激|燃"),
    (_one("Psychological", "Avant Garde", "Philosophy", "Time Manipulation", "Denpa", "Surreal Comedy"), "mind bending|mindfuck|weird|surreal|strange|trippy|シュール|不思議|难懂|烧脑|怪诞|诡异"),
    (_one("Kids", "Family Life", "Childcare"), "family friendly|for the family|家族で|合家欢|适合全家"),
)  # fmt: skip

# Some rows exceed the width of a line of code: each is one row of a table, read as such.


def _phrases() -> dict[str, Concept]:
    return {phrase: concept for concept, phrases in _TABLE for phrase in phrases.split("|")}


CONCEPTS: dict[str, Concept] = _phrases()
"""Concepts by phrase: English ones in lower case with single spaces, Japanese and Chinese ones as they are."""

STUDIOS: dict[str, str] = {
    phrase: studio
    for studio, phrases in (
        ("Kyoto Animation", "kyoani|kyoto animation|京アニ|京都アニメーション|京都动画|京阿尼"),
        ("Studio Ghibli", "ghibli|studio ghibli|miyazaki|ジブリ|宮崎駿|吉卜力|宫崎骏"),
        ("MAPPA", "mappa"),
        ("ufotable", "ufotable|飞碟社|ユーフォーテーブル"),
        ("Madhouse", "madhouse|マッドハウス"),
        ("Trigger", "studio trigger|扳机社"),
        ("Shaft", "studio shaft|シャフト|新房"),
        ("Bones", "studio bones|ボンズ|骨头社"),
        ("Production I.G", "production ig|production i g"),
        ("Sunrise", "studio sunrise|サンライズ|日升"),
        ("Wit Studio", "wit studio|霸权社"),
        ("P.A. Works", "pa works|p a works"),
        ("A-1 Pictures", "a 1 pictures|a1 pictures"),
        ("Toei Animation", "toei|東映アニメーション|东映"),
    )
    for phrase in phrases.split("|")
}
"""Names in the catalogue of studios, by what people call them."""

STOP_WORDS = frozenset(
    """
    meets
    a about after also an and anime animes any anything are aren't around as at atmosphere avoid based be because
    been before being best better between bit both but by can cartoon character characters content could did do
    does doesn't don't done down during either element elements end ending enjoy enjoyable enjoyed ep episode
    episodes eps even except excluding feel feeling feelings feels find focus focused for from full fully genre
    genres get gets give good got great had has hate have having he her his hour hours how i i'm ideally if im in
    into is isn't it it's its just kind kinda lead leads least less let lets like liked long look looking lot lots
    love loved made main make makes making many may maybe me might min minus minute minutes mood more most much my
    need needs never new nice no non nor not nothing now of ok okay old on one ones only or our out over people
    person place please plot plus preferably pretty protagonist quite rather really recommend recommendation saw
    scene scenes season seasons see series set setting she short should show showing shows similar since so some
    something sort still stories story style suggest suggestion take takes than that the their them theme themed
    themes there these they thing things this those time title titles to today tonight too type under up us very
    vibe vibes want wanted wants was watch watched watching we well were what when where which who whom why will
    wish with without world would year years you your zero
    """.split()  # noqa: SIM905  a list of a word a line would be 200 lines
)
"""English words that are not looked for in synopses."""
