// Titles of the stand-in service: id | romaji | English | Japanese | type | episodes | year | score | members | genres | franchise
const ROWS = `
5114|Fullmetal Alchemist: Brotherhood|Fullmetal Alchemist: Brotherhood|鋼の錬金術師 FULLMETAL ALCHEMIST|TV|64|2009|9.2|3100000|Action,Adventure,Drama,Fantasy|fma
121|Fullmetal Alchemist|Fullmetal Alchemist|鋼の錬金術師|TV|51|2003|8.1|1400000|Action,Adventure,Comedy,Fantasy|fma
430|Fullmetal Alchemist: The Conqueror of Shamballa|Fullmetal Alchemist the Movie|劇場版 鋼の錬金術師 シャンバラを征く者|Movie|1|2005|7.6|210000|Military,Comedy,Historical,Fantasy,Drama|fma
9253|Steins;Gate||シュタインズ・ゲート|TV|24|2011|9.1|2400000|Sci-Fi,Thriller|steins
30484|Steins;Gate 0||シュタインズ・ゲート ゼロ|TV|23|2018|8.5|800000|Sci-Fi,Thriller|steins
16498|Shingeki no Kyojin|Attack on Titan|進撃の巨人|TV|25|2013|8.5|3700000|Action,Drama,Fantasy,Military|titan
25777|Shingeki no Kyojin Season 2|Attack on Titan Season 2|進撃の巨人 Season2|TV|12|2017|8.5|2600000|Action,Drama,Fantasy,Military|titan
1535|Death Note|Death Note|デスノート|TV|37|2006|8.6|3700000|Mystery,Psychological,Supernatural,Thriller|
1575|Code Geass: Hangyaku no Lelouch|Code Geass: Lelouch of the Rebellion|コードギアス 反逆のルルーシュ|TV|25|2006|8.7|2100000|Action,Mecha,Military,Sci-Fi|geass
2904|Code Geass: Hangyaku no Lelouch R2|Code Geass: Lelouch of the Rebellion R2|コードギアス 反逆のルルーシュ R2|TV|25|2008|8.9|1700000|Action,Mecha,Military,Sci-Fi|geass
1|Cowboy Bebop|Cowboy Bebop|カウボーイビバップ|TV|26|1998|8.8|1700000|Action,Adventure,Comedy,Drama,Sci-Fi,Space|bebop
5|Cowboy Bebop: Tengoku no Tobira|Cowboy Bebop: The Movie|カウボーイビバップ 天国の扉|Movie|1|2001|8.4|350000|Action,Drama,Mystery,Sci-Fi,Space|bebop
30|Shinseiki Evangelion|Neon Genesis Evangelion|新世紀エヴァンゲリオン|TV|26|1995|8.3|1600000|Drama,Mecha,Psychological,Sci-Fi|eva
32|Shinseiki Evangelion Movie: Air/Magokoro wo, Kimi ni|Neon Genesis Evangelion: The End of Evangelion|新世紀エヴァンゲリオン劇場版 Air／まごころを、君に|Movie|1|1997|8.5|850000|Drama,Mecha,Psychological,Sci-Fi|eva
199|Sen to Chihiro no Kamikakushi|Spirited Away|千と千尋の神隠し|Movie|1|2001|8.8|1700000|Adventure,Supernatural,Drama|
164|Mononoke Hime|Princess Mononoke|もののけ姫|Movie|1|1997|8.7|1100000|Action,Adventure,Fantasy|
431|Howl no Ugoku Shiro|Howl's Moving Castle|ハウルの動く城|Movie|1|2004|8.7|1200000|Adventure,Drama,Fantasy,Romance|
523|Tonari no Totoro|My Neighbor Totoro|となりのトトロ|Movie|1|1988|8.3|850000|Adventure,Comedy,Supernatural|
32281|Kimi no Na wa.|Your Name.|君の名は。|Movie|1|2016|8.9|2500000|Romance,Supernatural,School,Drama|
1689|Byousoku 5 Centimeter|5 Centimeters per Second|秒速5センチメートル|Movie|3|2007|7.6|700000|Drama,Romance,Slice of Life|
28851|Koe no Katachi|A Silent Voice|聲の形|Movie|1|2016|8.9|2200000|Drama,School,Shounen|
9989|Ano Hi Mita Hana no Namae wo Bokutachi wa Mada Shiranai.|Anohana: The Flower We Saw That Day|あの日見た花の名前を僕達はまだ知らない。|TV|11|2011|8.3|1300000|Slice of Life,Supernatural,Drama|
23273|Shigatsu wa Kimi no Uso|Your Lie in April|四月は君の嘘|TV|22|2014|8.6|1900000|Drama,Music,Romance,School|
4181|Clannad: After Story|Clannad: After Story|クラナド アフターストーリー|TV|24|2008|8.9|1100000|Drama,Romance,Slice of Life|clannad
2167|Clannad|Clannad|クラナド|TV|23|2007|8.0|1200000|Comedy,Drama,Romance,School,Slice of Life|clannad
4224|Toradora!|Toradora!|とらドラ！|TV|25|2008|8.1|1800000|Comedy,Romance,School,Slice of Life|
11061|Hunter x Hunter (2011)|Hunter x Hunter|ハンター×ハンター|TV|148|2011|9.0|2600000|Action,Adventure,Shounen,Super Power|
20|Naruto|Naruto|ナルト|TV|220|2002|8.0|2700000|Action,Adventure,Shounen,Martial Arts|naruto
1735|Naruto: Shippuuden|Naruto Shippuden|ナルト 疾風伝|TV|500|2007|8.2|2300000|Action,Adventure,Shounen,Martial Arts|naruto
21|One Piece|One Piece|ワンピース|TV||1999|8.7|2200000|Action,Adventure,Comedy,Shounen|
269|Bleach|Bleach|ブリーチ|TV|366|2004|7.9|1900000|Action,Adventure,Shounen,Supernatural|
30276|One Punch Man|One-Punch Man|ワンパンマン|TV|12|2015|8.5|3000000|Action,Comedy,Parody,Super Power|
32182|Mob Psycho 100|Mob Psycho 100|モブサイコ100|TV|12|2016|8.5|1900000|Action,Comedy,Slice of Life,Supernatural|
19|Monster|Monster|モンスター|TV|74|2004|8.8|1000000|Drama,Horror,Mystery,Psychological,Thriller|
339|Serial Experiments Lain|Serial Experiments Lain|シリアルエクスペリメンツレイン|TV|13|1998|8.1|700000|Dementia,Mystery,Psychological,Sci-Fi|
437|Perfect Blue|Perfect Blue|パーフェクトブルー|Movie|1|1998|8.5|600000|Dementia,Horror,Psychological,Drama|
1943|Paprika|Paprika|パプリカ|Movie|1|2006|8.0|450000|Fantasy,Mystery,Psychological,Sci-Fi|
11757|Sword Art Online|Sword Art Online|ソードアート・オンライン|TV|25|2012|7.2|3000000|Action,Adventure,Fantasy,Romance|
19815|No Game No Life|No Game, No Life|ノーゲーム・ノーライフ|TV|12|2014|8.1|2300000|Adventure,Comedy,Fantasy,Game|
31240|Re:Zero kara Hajimeru Isekai Seikatsu|Re:ZERO -Starting Life in Another World-|Re:ゼロから始める異世界生活|TV|25|2016|8.2|2200000|Drama,Fantasy,Psychological,Thriller|
9756|Mahou Shoujo Madoka★Magica|Puella Magi Madoka Magica|魔法少女まどか★マギカ|TV|12|2011|8.4|1300000|Drama,Magic,Psychological,Thriller|
18679|Kill la Kill|Kill la Kill|キルラキル|TV|24|2013|8.0|1600000|Action,Comedy,School,Super Power|
2001|Tengen Toppa Gurren Lagann|Gurren Lagann|天元突破グレンラガン|TV|27|2007|8.6|1300000|Action,Adventure,Comedy,Mecha,Sci-Fi|
205|Samurai Champloo|Samurai Champloo|サムライチャンプルー|TV|26|2004|8.5|1000000|Action,Adventure,Comedy,Historical,Samurai|
45|Rurouni Kenshin: Meiji Kenkaku Romantan|Rurouni Kenshin|るろうに剣心 明治剣客浪漫譚|TV|94|1996|8.3|550000|Action,Adventure,Comedy,Historical,Romance,Samurai|
457|Mushishi|Mushi-Shi|蟲師|TV|26|2005|8.7|850000|Adventure,Fantasy,Historical,Mystery,Slice of Life,Supernatural|
2966|Ookami to Koushinryou|Spice and Wolf|狼と香辛料|TV|13|2008|8.2|800000|Adventure,Fantasy,Historical,Romance|
20583|Haikyuu!!|Haikyu!!|ハイキュー!!|TV|25|2014|8.4|1700000|Comedy,Drama,School,Shounen,Sports|
263|Hajime no Ippo|Fighting Spirit|はじめの一歩|TV|75|2000|8.8|600000|Comedy,Drama,Shounen,Sports|
22135|Ping Pong the Animation|Ping Pong the Animation|ピンポン THE ANIMATION|TV|11|2014|8.6|400000|Drama,Psychological,Sports|
5680|K-On!|K-ON!|けいおん！|TV|13|2009|7.8|1100000|Comedy,Music,School,Slice of Life|
877|Nana|Nana|ナナ|TV|47|2006|8.5|700000|Comedy,Drama,Music,Romance,Shoujo|
3731|Detroit Metal City|Detroit Metal City|デトロイト・メタル・シティ|OVA|12|2008|8.0|170000|Comedy,Music|
7054|Kaichou wa Maid-sama!|Maid Sama!|会長はメイド様！|TV|26|2010|8.0|1100000|Comedy,Romance,School,Shoujo|
853|Ouran Koukou Host Club|Ouran High School Host Club|桜蘭高校ホスト部|TV|26|2006|8.2|1200000|Comedy,Harem,Romance,School,Shoujo|
66|Azumanga Daioh|Azumanga Daioh|あずまんが大王|TV|26|2002|7.9|350000|Comedy,School,Slice of Life|
10165|Nichijou|Nichijou - My Ordinary Life|日常|TV|26|2011|8.5|900000|Comedy,School,Slice of Life|
12189|Hyouka|Hyouka|氷菓|TV|22|2012|8.1|900000|Mystery,School,Slice of Life|
13601|Psycho-Pass|Psycho-Pass|サイコパス|TV|22|2012|8.3|1500000|Action,Military,Psychological,Sci-Fi|
467|Koukaku Kidoutai: Stand Alone Complex|Ghost in the Shell: Stand Alone Complex|攻殻機動隊 STAND ALONE COMPLEX|TV|26|2002|8.4|500000|Action,Mecha,Military,Mystery,Sci-Fi|
820|Ginga Eiyuu Densetsu|Legend of the Galactic Heroes|銀河英雄伝説|OVA|110|1988|9.0|320000|Drama,Military,Sci-Fi,Space|
329|Planetes|Planetes|プラネテス|TV|26|2003|8.3|250000|Drama,Romance,Sci-Fi,Space|
7311|Suzumiya Haruhi no Shoushitsu|The Disappearance of Haruhi Suzumiya|涼宮ハルヒの消失|Movie|1|2010|8.6|550000|Comedy,Mystery,Romance,School,Sci-Fi|
777|Hellsing Ultimate|Hellsing Ultimate|ヘルシング ULTIMATE|OVA|10|2006|8.4|900000|Action,Horror,Military,Supernatural,Vampire|
22319|Tokyo Ghoul|Tokyo Ghoul|東京喰種|TV|12|2014|7.8|2600000|Action,Drama,Horror,Mystery,Psychological|
6547|Angel Beats!|Angel Beats!|エンジェルビーツ|TV|13|2010|8.1|1900000|Action,Comedy,Drama,School,Supernatural|
1698|Nodame Cantabile|Nodame Cantabile|のだめカンタービレ|TV|23|2007|8.2|250000|Comedy,Josei,Music,Romance|
17074|Monogatari Series: Second Season|Monogatari Series: Second Season|〈物語〉シリーズ セカンドシーズン|TV|26|2013|8.8|800000|Comedy,Mystery,Romance,Supernatural,Vampire|
21939|Mushishi Zoku Shou|Mushi-shi -Next Passage-|蟲師 続章|TV|10|2014|8.7|350000|Adventure,Fantasy,Historical,Mystery,Slice of Life|mushi
10087|Fate/Zero|Fate/Zero|フェイト/ゼロ|TV|13|2011|8.3|1500000|Action,Fantasy,Supernatural,Historical|
24415|Kuroko no Basket 3rd Season|Kuroko's Basketball 3|黒子のバスケ 第3期|TV|25|2015|8.3|700000|Comedy,School,Shounen,Sports|
12711|Uta no Prince-sama|Uta no Prince Sama|うたの☆プリンスさまっ♪|TV|13|2011|7.1|250000|Comedy,Harem,Music,Romance|
`

/** The whole catalogue, as the API's anime cards with a franchise key. */
export const catalogue = ROWS.trim()
  .split('\n')
  .map((row) => {
    const [id, title, english, japanese, type, episodes, year, score, members, genres, franchise] = row.split('|')
    return {
      franchise: franchise || id,
      card: {
        anime_id: Number(id),
        title,
        title_english: english || null,
        title_japanese: japanese || null,
        title_chinese: null,
        type,
        episodes: episodes ? Number(episodes) : null,
        year: Number(year),
        score: Number(score),
        members: Number(members),
        genres: genres.split(','),
        image: Number(id) % 5 ? `https://covers.example/${id}.png` : null,
        adult: false,
      },
    }
  })

/** The same entry by id. */
export const entryOf = new Map(catalogue.map((entry) => [entry.card.anime_id, entry]))

/** Tags and studios of the stand-in follow from what else is known of a title. */
export const WORDS = { tags: ['Long Story', 'Tragedy'], studios: ['Bones', 'Madhouse'], sources: ['Manga', 'Original'], sites: ['Netflix'] }
const tagsOf = (card) => [...(card.episodes >= 40 ? ['Long Story'] : []), ...(card.genres.includes('Drama') ? ['Tragedy'] : [])]
const studioOf = (card) => WORDS.studios[card.anime_id % 2]
const sourceOf = (card) => WORDS.sources[card.year % 2]

/** Whether a title passes the filters of an address. */
export const fits = (query) => {
  const number = (name, otherwise) => (query.has(name) ? Number(query.get(name)) : otherwise)
  const any = (name, word) => !query.has(name) || query.getAll(name).includes(word)
  return (card) =>
    any('type', card.type) &&
    (query.get('hide_specials') === 'false' || card.type !== 'Special' || query.getAll('type').includes('Special')) &&
    query.getAll('genre').every((genre) => card.genres.includes(genre)) &&
    !query.getAll('exclude_genre').some((genre) => card.genres.includes(genre)) &&
    query.getAll('tag').every((tag) => tagsOf(card).includes(tag)) &&
    !query.getAll('exclude_tag').some((tag) => tagsOf(card).includes(tag)) &&
    any('studio', studioOf(card)) &&
    any('source', sourceOf(card)) &&
    card.year >= number('year_min', 0) &&
    card.year <= number('year_max', 9999) &&
    (card.episodes ?? 0) >= number('episodes_min', 0) &&
    (card.episodes ?? 0) <= number('episodes_max', 9999) &&
    card.members >= number('min_members', 500) &&
    card.members <= number('max_members', Infinity) &&
    card.score >= number('min_score', 0)
}

const SYNOPSIS =
  'A quiet town, a promise made years ago, and a stranger who should not know about it. What begins as a search for ' +
  'one lost letter becomes a journey through everything its people would rather forget.'

/** `GET /anime/{id}`. */
export function detailOf({ card, franchise }) {
  const line = catalogue
    .filter((entry) => entry.franchise === franchise)
    .map((entry) => entry.card)
    .sort((a, b) => a.year - b.year)
  const at = line.findIndex((other) => other.anime_id === card.anime_id)
  const relation = (index) => (index === at ? 'this' : index < at ? 'prequel' : 'sequel')
  return {
    ...card,
    synonyms: [],
    tags: ['Ensemble cast', 'Coming of age', 'Tragedy'].slice(0, 1 + (card.anime_id % 3)),
    studios: [['Bones', 'Madhouse', 'Sunrise', 'Gainax'][card.anime_id % 4]],
    source: 'Manga',
    released: `${card.year}-04-05`,
    season: `${card.year}-spring`,
    airing: 'finished',
    trailer: card.anime_id === 5114 ? 'https://www.youtube.com/watch?v=standin' : null,
    members_at: null,
    duration_min: card.type === 'Movie' ? 105 : 24,
    synopsis: SYNOPSIS,
    links: {
      myanimelist: `https://myanimelist.net/anime/${card.anime_id}`,
      anilist: `https://anilist.co/anime/${card.anime_id}`,
      anidb: null,
      tmdb: null,
    },
    streaming: card.anime_id % 2 ? [{ site: 'Netflix', url: 'https://www.netflix.com/' }] : [],
    franchise: line.length > 1 ? line.map((other, index) => ({ ...other, relation: relation(index) })) : [],
  }
}
