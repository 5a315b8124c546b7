from xg2g_backends import RemuxOptions, remux

stats = remux("recording.ts", "converted.ts", RemuxOptions(tracks=("deu", "eng")))
for track in stats.tracks:
    print(track.language, track.codec, track.state)
